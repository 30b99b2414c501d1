/* store.h: files made of what was found on a network: safe names, hashes, a manifest. */
#ifndef EXAMPLES_STORE_H
#define EXAMPLES_STORE_H

#include <stdio.h>

#include "common.h"

#define STORE_NAME_SIZE 128 /* of a file's name, with its NUL */
#define STORE_TEXT_SIZE 512 /* of what is noted of a file, likewise */

/* A folder, and its manifest: a line of JSON for each file. */
typedef struct store {
    const program_t *program;
    const char *folder;
    FILE *manifest;
    uint64_t count;            /* of files so far */
    struct stored *open_first; /* files that are open, longest untouched first */
    struct stored *open_last;
    void *magic;               /* libmagic's, or NULL where there is none */
} store_t;

/* One file that is being written. What is said of it may change until it is complete. */
typedef struct stored {
    store_t *store;
    char path[STORE_NAME_SIZE];  /* in the folder, while it is written; "": nothing was written yet */
    char name[STORE_TEXT_SIZE];  /* that the network gives it; "": none */
    char type[STORE_TEXT_SIZE];  /* that the network says it has; "": none */
    const char *element;         /* static: its path */
    char flow[FLOW_SIZE];        /* JSON: which conversation, */
    bool is_server;              /* which direction */
    uint64_t offset;             /* of its first byte there */
    int64_t time_ns;             /* when its first bytes came */
    uint64_t bytes;              /* so far */
    uint64_t missing;            /* that the capture lacks */
    bool is_cut;                 /* it ended before its end */
    FILE *file;                  /* NULL: it is closed, for now */
    void *hash;                  /* libcrypto's, or NULL */
    unsigned char head[4096];    /* its first bytes, for its type */
    struct stored *before, *behind; /* among those that are open */
} stored_t;

/* Makes the folder, if it is not there, and the manifest in it, which must not be. Ends the program if that fails. */
void store_open(store_t *store, const program_t *program, const char *folder);
void store_close(store_t *store);

/* A new file; `element` is static. */
stored_t *stored_new(store_t *store, const char *element);
void stored_write(stored_t *stored, const unsigned char *bytes, size_t len);

/* Bytes that are missing: zeroes stand for them, at most so many that a file of holes costs nothing much. */
void stored_skip(stored_t *stored, uint64_t len);

/* It is complete: gets its name and its line, and is freed. One without any bytes leaves none. */
void stored_finish(stored_t *stored);

/* A text as it was found, with its end; what does not fit is cut off. */
void store_text(char *to, size_t size, const unsigned char *text, size_t len);

/* The name of what a request asks for: the last part of the path, without the query; may be "". */
void store_name_of_target(char *to, size_t size, const unsigned char *target, size_t len);

/* The name in a Content-Disposition; false if there is none. */
bool store_name_of_disposition(char *to, size_t size, const unsigned char *text, size_t len);

#endif
