/* capture.h: where packets come from: a file, a device, or the application. See capture.c. */
#ifndef QCAP_CAPTURE_H
#define QCAP_CAPTURE_H

#include "qcap.h"

typedef struct qcapint_capture qcapint_capture_t;

/* A frame, as captured. */
typedef struct qcapint_frame {
    const unsigned char *bytes; /* borrowed until the next one is asked for */
    uint32_t len;               /* captured */
    uint32_t wire_len;          /* on the wire */
    int64_t time_ns;            /* since 1970 */
} qcapint_frame_t;

/* Each returns NULL and a reason in errbuf (QCAP_ERRBUF_SIZE bytes). */
qcapint_capture_t *qcapint_capture_open_trace(const char *path, char *errbuf);
qcapint_capture_t *qcapint_capture_open_device(const char *device, const qcap_device_options_t *options, char *errbuf);
qcapint_capture_t *qcapint_capture_open_pushed(int link_type, char *errbuf);
void qcapint_capture_close(qcapint_capture_t *capture);

typedef enum {
    QCAPINT_CAPTURE_FRAME,   /* there is one */
    QCAPINT_CAPTURE_NOTHING, /* a device had none within its time-out */
    QCAPINT_CAPTURE_END,     /* of the trace */
    QCAPINT_CAPTURE_FAILED   /* see qcapint_capture_error() */
} qcapint_capture_next_t;

/* The next frame that passes the filter. */
qcapint_capture_next_t qcapint_capture_next(qcapint_capture_t *capture, qcapint_frame_t *frame);

/* One line about the last failure. */
const char *qcapint_capture_error(const qcapint_capture_t *capture);

/* Whether a frame that the application pushed passes the filter. */
bool qcapint_capture_accepts(const qcapint_capture_t *capture, const qcapint_frame_t *frame);

/* Returns 0, or QCAP_E_FILTER: see qcapint_capture_error(). */
int qcapint_capture_set_filter(qcapint_capture_t *capture, const char *expression);

int qcapint_capture_link_type(const qcapint_capture_t *capture);
bool qcapint_capture_is_pushed(const qcapint_capture_t *capture);
bool qcapint_capture_is_device(const qcapint_capture_t *capture);

/* Makes a waiting qcapint_capture_next() return. From a signal handler too. */
void qcapint_capture_break(qcapint_capture_t *capture);

/* Device: packets that were dropped by the operating system, and by the hardware. */
void qcapint_capture_drops(qcapint_capture_t *capture, uint64_t *system, uint64_t *hardware);

#endif
