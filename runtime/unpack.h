/* unpack.h: compressed files, as they are read. See unpack.c. */
#ifndef QCAP_UNPACK_H
#define QCAP_UNPACK_H

#include <stdbool.h>
#include <stddef.h>

/* Enough bytes of a file to tell whether it is compressed. */
#define QCAPINT_UNPACK_MAGIC 6

typedef struct qcapint_unpacker qcapint_unpacker_t;

/* What to read and where to write; both move on. */
typedef struct qcapint_unpack_io {
    const unsigned char *in;
    size_t in_len;
    unsigned char *out;
    size_t out_len;
} qcapint_unpack_io_t;

/* The name of what the file that begins with these bytes is compressed by; NULL: by nothing that is known here. */
const char *qcapint_unpack_name(const unsigned char *bytes, size_t len);

/* An unpacker for it. NULL if there is no memory, or the library was built without what it takes: then `*problem` says
 * so. */
qcapint_unpacker_t *qcapint_unpack_new(const unsigned char *bytes, size_t len, const char **problem);
void qcapint_unpack_free(qcapint_unpacker_t *unpacker); /* NULL is allowed */

/* Unpacks until there is nothing to read or no room to write. Returns NULL, or what is wrong with the input. */
const char *qcapint_unpack_run(qcapint_unpacker_t *unpacker, qcapint_unpack_io_t *io);

/* Whether the file may end here. */
bool qcapint_unpack_is_between(const qcapint_unpacker_t *unpacker);

#endif
