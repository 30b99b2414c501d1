/* input.h: the bytes of a file, a block at a time. See input.c. */
#ifndef QCAP_INPUT_H
#define QCAP_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qcap.h"
#include "unpack.h"

/* The most bytes that can be had in one piece. */
#define QCAPINT_INPUT_PIECE ((size_t)1 << 20)

/* A file that is read, or what a compressed one is unpacked to. */
typedef struct qcapint_input qcapint_input_t;

struct qcapint_input {
    const unsigned char *at;  /* the next byte; whoever reads moves it */
    const unsigned char *end; /* behind the last one at hand */
    uint64_t end_offset;      /* of `end` in the file, unpacked */

    int file;               /* descriptor */
    bool is_owned;          /* ... which is closed with the input */
    bool is_seekable;       /* a regular file: it is read by offsets */
    volatile bool is_broken; /* an interrupted read is not taken up again, once */
    uint64_t file_begin;    /* where the trace begins: standard input may have been read from */
    uint64_t file_offset;   /* of the next byte to be read, from there on */
    unsigned char *block;   /* where `at` and `end` point; a piece, and room for a read */
    qcapint_unpacker_t *unpacker; /* NULL: not compressed */
    unsigned char *packed;        /* compressed bytes at hand */
    const unsigned char *packed_at, *packed_end;
    qcapint_input_t *again; /* compressed: the same file, for qcapint_input_read_at(); owned; NULL: not needed yet */
    char error[QCAP_ERRBUF_SIZE]; /* the last failure */
};

typedef enum {
    QCAPINT_INPUT_OK,
    QCAPINT_INPUT_BROKEN, /* interrupted: to be asked again */
    QCAPINT_INPUT_END,    /* there are fewer: those at hand are the last */
    QCAPINT_INPUT_FAILED  /* see error */
} qcapint_input_status_t;

/* Opens a file; "-" is standard input. Returns 0, or -1 and the reason in input->error. To be closed in both cases. */
int qcapint_input_open(qcapint_input_t *input, const char *path);

void qcapint_input_close(qcapint_input_t *input);

/* Gets `len` bytes (at most QCAPINT_INPUT_PIECE) in one piece at input->at. What lay in the block before is gone. */
qcapint_input_status_t qcapint_input_fill(qcapint_input_t *input, size_t len);

/* Reads `len` bytes (at most QCAPINT_INPUT_PIECE) from any offset of a regular file to `to`; what is at hand stays
 * as it is. Of a compressed file the way there is unpacked: from the place that was read so before, or from the
 * beginning. END if the file has not so many. */
qcapint_input_status_t qcapint_input_read_at(qcapint_input_t *input, uint64_t offset, void *to, size_t len);

/* Bytes at hand, and the offset of the next one. */
static inline size_t qcapint_input_left(const qcapint_input_t *input)
{
    return (size_t)(input->end - input->at);
}

static inline uint64_t qcapint_input_offset(const qcapint_input_t *input)
{
    return input->end_offset - qcapint_input_left(input);
}

#endif
