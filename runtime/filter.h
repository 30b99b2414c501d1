/* filter.h: which frames are looked at. See filter.c. */
#ifndef QCAP_FILTER_H
#define QCAP_FILTER_H

#include "capture.h"

typedef struct qcapint_program qcapint_program_t;

/* All zeros: everything passes. */
typedef struct qcapint_filter {
    char *expression;            /* pcap-filter(7); owned; NULL: none */
    qcapint_program_t *programs; /* what it means on each link type that was met; owned */
    char error[QCAP_ERRBUF_SIZE]; /* the last failure */
} qcapint_filter_t;

/* Replaces the expression, and tries it on a link type, if that is not -1. Returns 0, QCAP_E_FILTER or QCAP_E_MEMORY;
 * then the filter is as it was. */
int qcapint_filter_set(qcapint_filter_t *filter, const char *expression, int link_type);
void qcapint_filter_fini(qcapint_filter_t *filter);

/* 1: the frame passes; 0: it does not, nor does any of a link type that is not decoded; or QCAP_E_FILTER: the
 * expression means nothing on this link type. */
int qcapint_filter_matches(qcapint_filter_t *filter, const qcapint_frame_t *frame);

#endif
