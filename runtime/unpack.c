/* unpack.c: gzip (RFC 1952), zstd (RFC 8878) and xz, recognised by their first bytes.
 *
 * All three allow several members, one behind the other: the file is what they make together. Zeros between and behind
 * them are padding. Without its library a method is recognised, and refused by its name. */
#include "unpack.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#ifdef QCAP_HAVE_ZSTD
#include <zstd.h>
#include <zstd_errors.h>
#endif
#ifdef QCAP_HAVE_LZMA
#include <lzma.h>
#endif

/* More than any preset of xz needs to unpack; a file that says it needs more is not believed. */
#define XZ_MEMORY ((uint64_t)256 << 20)

typedef enum { STEP_MORE, STEP_END, STEP_DAMAGED, STEP_MEMORY } step_t;

/* A way to compress. `begin` starts a member, `step` goes on with it, `end` gives its memory back. */
typedef struct method {
    const char *name;
    const char *magic;
    size_t magic_len;
    bool (*begin)(qcapint_unpacker_t *unpacker);
    step_t (*step)(qcapint_unpacker_t *unpacker, qcapint_unpack_io_t *io);
    void (*end)(qcapint_unpacker_t *unpacker);
} method_t;

struct qcapint_unpacker {
    const method_t *method;
    bool is_inside;      /* a member: its `state` is there */
    const char *problem; /* what was wrong: there is no going on behind it */
    union {
        z_stream gzip;
#ifdef QCAP_HAVE_ZSTD
        ZSTD_DStream *zstd;
#endif
#ifdef QCAP_HAVE_LZMA
        lzma_stream xz;
#endif
    } state;
};

/* ---------------------------------------------------------------- gzip */

static bool gzip_begin(qcapint_unpacker_t *u)
{
    memset(&u->state.gzip, 0, sizeof u->state.gzip);
    return inflateInit2(&u->state.gzip, 15 + 16) == Z_OK; /* the largest window; a gzip header, nothing else */
}

/* zlib counts in `unsigned`: the caller's blocks are far smaller. */
static step_t gzip_step(qcapint_unpacker_t *u, qcapint_unpack_io_t *io)
{
    z_stream *z = &u->state.gzip;
    z->next_in = (Bytef *)(uintptr_t)io->in;
    z->avail_in = (uInt)io->in_len;
    z->next_out = io->out;
    z->avail_out = (uInt)io->out_len;
    int status = inflate(z, Z_NO_FLUSH);
    io->in = z->next_in;
    io->in_len = z->avail_in;
    io->out = z->next_out;
    io->out_len = z->avail_out;
    if (status == Z_STREAM_END)
        return STEP_END;
    if (status == Z_MEM_ERROR)
        return STEP_MEMORY;
    return status == Z_OK || status == Z_BUF_ERROR ? STEP_MORE : STEP_DAMAGED;
}

static void gzip_end(qcapint_unpacker_t *u)
{
    inflateEnd(&u->state.gzip);
}

/* ---------------------------------------------------------------- zstd */

#ifdef QCAP_HAVE_ZSTD

static bool zstd_begin(qcapint_unpacker_t *u)
{
    u->state.zstd = ZSTD_createDStream();
    return u->state.zstd != NULL;
}

static step_t zstd_step(qcapint_unpacker_t *u, qcapint_unpack_io_t *io)
{
    ZSTD_inBuffer in = {io->in, io->in_len, 0};
    ZSTD_outBuffer out = {io->out, io->out_len, 0};
    size_t status = ZSTD_decompressStream(u->state.zstd, &out, &in);
    io->in += in.pos;
    io->in_len -= in.pos;
    io->out += out.pos;
    io->out_len -= out.pos;
    if (ZSTD_isError(status))
        return ZSTD_getErrorCode(status) == ZSTD_error_memory_allocation ? STEP_MEMORY : STEP_DAMAGED;
    return status == 0 ? STEP_END : STEP_MORE;
}

static void zstd_end(qcapint_unpacker_t *u)
{
    ZSTD_freeDStream(u->state.zstd);
}

#define ZSTD_FUNCTIONS zstd_begin, zstd_step, zstd_end
#else
#define ZSTD_FUNCTIONS NULL, NULL, NULL
#endif

/* ---------------------------------------------------------------- xz */

#ifdef QCAP_HAVE_LZMA

static bool xz_begin(qcapint_unpacker_t *u)
{
    static const lzma_stream none = LZMA_STREAM_INIT;
    u->state.xz = none;
    return lzma_stream_decoder(&u->state.xz, XZ_MEMORY, 0) == LZMA_OK;
}

static step_t xz_step(qcapint_unpacker_t *u, qcapint_unpack_io_t *io)
{
    lzma_stream *xz = &u->state.xz;
    xz->next_in = io->in;
    xz->avail_in = io->in_len;
    xz->next_out = io->out;
    xz->avail_out = io->out_len;
    lzma_ret status = lzma_code(xz, LZMA_RUN);
    io->in = xz->next_in;
    io->in_len = xz->avail_in;
    io->out = xz->next_out;
    io->out_len = xz->avail_out;
    if (status == LZMA_STREAM_END)
        return STEP_END;
    if (status == LZMA_MEM_ERROR || status == LZMA_MEMLIMIT_ERROR)
        return STEP_MEMORY;
    return status == LZMA_OK || status == LZMA_BUF_ERROR ? STEP_MORE : STEP_DAMAGED;
}

static void xz_end(qcapint_unpacker_t *u)
{
    lzma_end(&u->state.xz);
}

#define XZ_FUNCTIONS xz_begin, xz_step, xz_end
#else
#define XZ_FUNCTIONS NULL, NULL, NULL
#endif

/* ---------------------------------------------------------------- any of them */

static const method_t *method_of(const unsigned char *bytes, size_t len)
{
    static const method_t methods[] = {
        {"gzip", "\x1f\x8b\x08", 3, gzip_begin, gzip_step, gzip_end},
        {"zstd", "\x28\xb5\x2f\xfd", 4, ZSTD_FUNCTIONS},
        {"xz", "\xfd" "7zXZ\0", 6, XZ_FUNCTIONS},
    };
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (len >= methods[i].magic_len && memcmp(bytes, methods[i].magic, methods[i].magic_len) == 0)
            return &methods[i];
    return NULL;
}

const char *qcapint_unpack_name(const unsigned char *bytes, size_t len)
{
    const method_t *method = method_of(bytes, len);
    return method ? method->name : NULL;
}

qcapint_unpacker_t *qcapint_unpack_new(const unsigned char *bytes, size_t len, const char **problem)
{
    const method_t *method = method_of(bytes, len);
    qcapint_unpacker_t *unpacker = NULL;
    if (!method || !method->begin) {
        *problem = "it is compressed in a way that this library was built without";
        return NULL;
    }
    unpacker = calloc(1, sizeof *unpacker);
    if (unpacker)
        unpacker->method = method;
    else
        *problem = "out of memory";
    return unpacker;
}

void qcapint_unpack_free(qcapint_unpacker_t *unpacker)
{
    if (!unpacker)
        return;
    if (unpacker->is_inside)
        unpacker->method->end(unpacker);
    free(unpacker);
}

bool qcapint_unpack_is_between(const qcapint_unpacker_t *unpacker)
{
    return !unpacker->is_inside;
}

static void leave_member(qcapint_unpacker_t *u)
{
    u->method->end(u);
    u->is_inside = false;
}

const char *qcapint_unpack_run(qcapint_unpacker_t *u, qcapint_unpack_io_t *io)
{
    while (!u->problem) {
        for (; !u->is_inside && io->in_len > 0 && *io->in == 0; io->in_len--)
            io->in++;
        if (!u->is_inside && io->in_len == 0)
            return NULL;
        if (!u->is_inside) {
            u->is_inside = u->method->begin(u);
            if (!u->is_inside)
                return u->problem = "out of memory";
        }
        size_t in_len = io->in_len, out_len = io->out_len;
        step_t step = u->method->step(u, io);
        if (step == STEP_END)
            leave_member(u);
        else if (step == STEP_MORE && io->in_len == in_len && io->out_len == out_len)
            return NULL;
        else if (step != STEP_MORE)
            u->problem = step == STEP_MEMORY ? "unpacking it takes too much memory" : "the compressed data are damaged";
    }
    return u->problem;
}
