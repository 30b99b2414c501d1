/* spoken.h: the application is told what conversations speak. See spoken.c. */
#ifndef QCAP_SPOKEN_H
#define QCAP_SPOKEN_H

#include "upper.h"

/* Tells the handlers. */
void qcapint_spoken_tell(qcap_t *q, const qcap_spoken_t *spoken);

/* Frees the handlers. */
void qcapint_spoken_fini(qcap_t *q);

#endif
