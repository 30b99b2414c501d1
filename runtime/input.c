/* input.c: the bytes of a file, a block at a time.
 *
 * In: a regular file, or standard input and other pipes; packed or not. Out: bytes in one piece, where they were
 * read to. A fill moves what is left of the block to its begin, and reads behind it, so that only what straddles two
 * reads is ever copied. A regular file is read at offsets of our own (pread), so that it can be read at other places
 * meanwhile.
 *
 * note [places in a compressed file]: there is no way into the middle of one but through what is before. A second
 * reading of the file goes forward from place to place, and begins again for one that lies before the last: places
 * that are asked for in their order cost one more pass together, and no index of the file has to be kept.
 *
 * Nothing is assumed about the file's size: one that grows is read on when asked again, one that shrinks ends. */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes asked of the system at a time. */
#define READ_SIZE ((size_t)256 << 10)

/* A block: room for what is left of a piece; then for the reads that make it whole, of which the last may bring more. The first of
 * these begins with a page: the system copies whole pages faster to whole pages. */
#define PAGE_SIZE ((size_t)4096)
#define BLOCK_SIZE (2 * QCAPINT_INPUT_PIECE + READ_SIZE)

static int fail(qcapint_input_t *input, const char *text)
{
    snprintf(input->error, sizeof input->error, "%s", text);
    return -1;
}

/* ---------------------------------------------------------------- the file */

/* Reads once, up to `len` bytes; `*count` is 0 only at the end. */
static qcapint_input_status_t read_file(qcapint_input_t *input, unsigned char *to, size_t len, size_t *count)
{
    ssize_t got;
    do {
        got = input->is_seekable ? pread(input->file, to, len, (off_t)(input->file_begin + input->file_offset))
                                 : read(input->file, to, len);
        if (got < 0 && errno == EINTR && input->is_broken) {
            input->is_broken = false;
            return QCAPINT_INPUT_BROKEN;
        }
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        fail(input, strerror(errno));
        return QCAPINT_INPUT_FAILED;
    }
    *count = (size_t)got;
    input->file_offset += *count;
    return got == 0 ? QCAPINT_INPUT_END : QCAPINT_INPUT_OK;
}

/* Reads and unpacks until there is something. */
static qcapint_input_status_t read_packed(qcapint_input_t *input, unsigned char *to, size_t len, size_t *count)
{
    qcapint_unpack_io_t io = {.out = to, .out_len = len};
    size_t got;
    do {
        if (input->packed_at == input->packed_end) {
            qcapint_input_status_t status = read_file(input, input->packed, READ_SIZE, &got);
            if (status == QCAPINT_INPUT_END && !qcapint_unpack_is_between(input->unpacker)) {
                fail(input, "truncated: the compressed data end too early");
                return QCAPINT_INPUT_FAILED;
            }
            if (status != QCAPINT_INPUT_OK)
                return status;
            input->packed_at = input->packed;
            input->packed_end = input->packed + got;
        }
        io.in = input->packed_at;
        io.in_len = (size_t)(input->packed_end - input->packed_at);
        const char *problem = qcapint_unpack_run(input->unpacker, &io);
        input->packed_at = io.in;
        if (problem && io.out_len == len) {
            uint64_t offset = input->file_offset - (size_t)(input->packed_end - input->packed_at);
            snprintf(input->error, sizeof input->error, "%s, near byte %llu of the file", problem,
                     (unsigned long long)offset);
            return QCAPINT_INPUT_FAILED;
        }
    } while (io.out_len == len);
    *count = len - io.out_len;
    return QCAPINT_INPUT_OK;
}

/* ---------------------------------------------------------------- the block */

qcapint_input_status_t qcapint_input_fill(qcapint_input_t *input, size_t len)
{
    size_t left = qcapint_input_left(input);
    if (left >= len)
        return QCAPINT_INPUT_OK;
    unsigned char *to = input->block + QCAPINT_INPUT_PIECE;
    input->at = memmove(to - left, input->at, left);
    input->end = to;
    while (left < len) {
        size_t count = 0;
        qcapint_input_status_t status = input->unpacker ? read_packed(input, to, READ_SIZE, &count)
                                                        : read_file(input, to, READ_SIZE, &count);
        if (status != QCAPINT_INPUT_OK)
            return status;
        left += count;
        to += count;
        input->end = to;
        input->end_offset += count;
    }
    return QCAPINT_INPUT_OK;
}

/* ---------------------------------------------------------------- unpacking */

static int unpack_from_begin(qcapint_input_t *input, const unsigned char *magic, size_t len)
{
    const char *problem;
    qcapint_unpacker_t *unpacker = qcapint_unpack_new(magic, len, &problem);
    if (!unpacker)
        return fail(input, problem);
    qcapint_unpack_free(input->unpacker);
    input->unpacker = unpacker;
    return 0;
}

/* Back to the first byte of a packed file. */
static qcapint_input_status_t rewind_packed(qcapint_input_t *input)
{
    size_t count = 0;
    input->file_offset = 0;
    qcapint_input_status_t status = read_file(input, input->packed, READ_SIZE, &count);
    if (status != QCAPINT_INPUT_OK)
        return status;
    input->packed_at = input->packed;
    input->packed_end = input->packed + count;
    input->at = input->end = input->block;
    input->end_offset = 0;
    return unpack_from_begin(input, input->packed, count) < 0 ? QCAPINT_INPUT_FAILED : QCAPINT_INPUT_OK;
}

static qcapint_input_status_t seek_packed(qcapint_input_t *input, uint64_t offset)
{
    qcapint_input_status_t status = QCAPINT_INPUT_OK;
    if (offset < qcapint_input_offset(input))
        status = rewind_packed(input);
    while (status == QCAPINT_INPUT_OK) {
        uint64_t distance = offset - qcapint_input_offset(input);
        if (distance <= qcapint_input_left(input)) {
            input->at += distance;
            return QCAPINT_INPUT_OK;
        }
        input->at = input->end;
        status = qcapint_input_fill(input, 1);
    }
    return status;
}

/* ---------------------------------------------------------------- opening */

/* Everything but the descriptor. What the first bytes say decides whether the rest is unpacked. */
static int begin(qcapint_input_t *input)
{
    input->block = aligned_alloc(PAGE_SIZE, BLOCK_SIZE);
    if (!input->block)
        return fail(input, "out of memory");
    input->at = input->end = input->block;
    qcapint_input_status_t status = qcapint_input_fill(input, QCAPINT_UNPACK_MAGIC);
    if (status != QCAPINT_INPUT_OK && status != QCAPINT_INPUT_END)
        return status == QCAPINT_INPUT_BROKEN ? fail(input, "interrupted") : -1;
    size_t count = qcapint_input_left(input);
    if (!qcapint_unpack_name(input->at, count))
        return 0;
    input->packed = malloc(BLOCK_SIZE);
    if (!input->packed)
        return fail(input, "out of memory");
    memcpy(input->packed, input->at, count);
    input->packed_at = input->packed;
    input->packed_end = input->packed + count;
    input->at = input->end = input->block;
    input->end_offset = 0;
    return unpack_from_begin(input, input->packed, count);
}

int qcapint_input_open(qcapint_input_t *input, const char *path)
{
    struct stat about;
    memset(input, 0, sizeof *input);
    input->is_owned = strcmp(path, "-") != 0;
    input->file = input->is_owned ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    if (input->file < 0 || fstat(input->file, &about) < 0)
        return fail(input, strerror(errno));
    if (S_ISREG(about.st_mode)) {
        off_t here = lseek(input->file, 0, SEEK_CUR);
        input->is_seekable = here >= 0;
        input->file_begin = here < 0 ? 0 : (uint64_t)here;
    }
    return begin(input);
}

void qcapint_input_close(qcapint_input_t *input)
{
    if (input->is_owned && input->file >= 0)
        close(input->file);
    if (input->again)
        qcapint_input_close(input->again);
    free(input->again);
    qcapint_unpack_free(input->unpacker);
    free(input->packed);
    free(input->block);
}

/* ---------------------------------------------------------------- at any place */

/* The same file once more, from its beginning. */
static qcapint_input_t *open_again(const qcapint_input_t *input)
{
    qcapint_input_t *again = calloc(1, sizeof *again);
    if (!again)
        return NULL;
    again->file = input->file;
    again->is_seekable = true;
    again->file_begin = input->file_begin;
    if (begin(again) == 0 && again->unpacker)
        return again;
    qcapint_input_close(again);
    free(again);
    return NULL;
}

static qcapint_input_status_t read_packed_at(qcapint_input_t *input, uint64_t offset, void *to, size_t len)
{
    if (!input->again)
        input->again = open_again(input);
    if (!input->again) {
        fail(input, "the file cannot be unpacked again");
        return QCAPINT_INPUT_FAILED;
    }
    qcapint_input_status_t status = seek_packed(input->again, offset);
    if (status == QCAPINT_INPUT_OK)
        status = qcapint_input_fill(input->again, len);
    if (status == QCAPINT_INPUT_OK)
        memcpy(to, input->again->at, len);
    if (status == QCAPINT_INPUT_FAILED)
        fail(input, input->again->error);
    return status;
}

qcapint_input_status_t qcapint_input_read_at(qcapint_input_t *input, uint64_t offset, void *to, size_t len)
{
    size_t done = 0;
    if (!input->is_seekable) {
        fail(input, "it is no regular file: what was read from it is gone");
        return QCAPINT_INPUT_FAILED;
    }
    if (input->unpacker)
        return read_packed_at(input, offset, to, len);
    while (done < len) {
        off_t at = (off_t)(input->file_begin + offset + done);
        ssize_t got = pread(input->file, (unsigned char *)to + done, len - done, at);
        if (got == 0)
            return QCAPINT_INPUT_END;
        if (got < 0 && errno != EINTR) {
            fail(input, strerror(errno));
            return QCAPINT_INPUT_FAILED;
        }
        done += got > 0 ? (size_t)got : 0;
    }
    return QCAPINT_INPUT_OK;
}
