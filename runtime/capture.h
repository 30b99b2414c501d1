/* capture.h: where packets come from: a file, a device, or the application. See capture.c. */
#ifndef QCAP_CAPTURE_H
#define QCAP_CAPTURE_H

#include "qcap.h"

typedef struct qcapint_capture qcapint_capture_t;

/* No frame of a file has this place. */
#define QCAPINT_NO_PLACE UINT64_MAX

/* A frame, as captured. */
typedef struct qcapint_frame {
    const unsigned char *bytes; /* borrowed until more are asked for */
    uint32_t len;               /* captured */
    uint32_t wire_len;          /* on the wire */
    int64_t time_ns;            /* since 1970 */
    uint64_t place;             /* offset of the bytes in their file, unpacked; or QCAPINT_NO_PLACE */
    uint16_t link_type;         /* DLT_ number */
} qcapint_frame_t;

/* Each returns NULL and a reason in errbuf (QCAP_ERRBUF_SIZE bytes). */
qcapint_capture_t *qcapint_capture_open_trace(const char *path, char *errbuf);
qcapint_capture_t *qcapint_capture_open_device(const char *device, const qcap_device_options_t *options, char *errbuf);
qcapint_capture_t *qcapint_capture_open_pushed(int link_type, char *errbuf);
void qcapint_capture_close(qcapint_capture_t *capture);

typedef enum {
    QCAPINT_CAPTURE_FRAME,   /* there is at least one */
    QCAPINT_CAPTURE_NOTHING, /* a device had none within its time-out, or the reading was broken off */
    QCAPINT_CAPTURE_END,     /* of the trace; a file that has grown may be read on */
    QCAPINT_CAPTURE_FAILED   /* see qcapint_capture_error() */
} qcapint_capture_next_t;

/* The next frames that pass the filter, up to `limit` (at least 1): no more than lie in one block of the file, which
 * all stay where they are until the next call. `*count` is 0 unless FRAME is returned. */
qcapint_capture_next_t qcapint_capture_next(qcapint_capture_t *capture, qcapint_frame_t *frames, size_t limit,
                                            size_t *count);

/* Reads `len` bytes at a frame's place to `to` once more. Returns 0; QCAP_E_STATE if this is no trace in a regular
 * file; QCAP_E_CAPTURE. See qcapint_capture_error(). */
int qcapint_capture_reread(qcapint_capture_t *capture, uint64_t place, void *to, uint32_t len);

/* One line about the last failure. */
const char *qcapint_capture_error(const qcapint_capture_t *capture);

/* Whether a frame that the application pushed passes the filter. */
bool qcapint_capture_accepts(qcapint_capture_t *capture, const qcapint_frame_t *frame);

/* Returns 0, QCAP_E_FILTER or QCAP_E_MEMORY: see qcapint_capture_error(). */
int qcapint_capture_set_filter(qcapint_capture_t *capture, const char *expression);

/* Of the latest frame; before the first, of the first interface. -1: there is none. */
int qcapint_capture_link_type(const qcapint_capture_t *capture);
bool qcapint_capture_is_pushed(const qcapint_capture_t *capture);
bool qcapint_capture_is_device(const qcapint_capture_t *capture);

/* Makes a waiting qcapint_capture_next() return. From a signal handler too. */
void qcapint_capture_break(qcapint_capture_t *capture);

/* Packets that were dropped by the operating system, and by the hardware, as a device or a pcapng file tells. */
void qcapint_capture_drops(qcapint_capture_t *capture, uint64_t *system, uint64_t *hardware);

#endif
