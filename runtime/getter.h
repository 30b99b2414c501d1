/* getter.h: what the files of getters share. What a getter is: qcap.h. How it is compiled and applied: getter.c. */
#ifndef QCAP_GETTER_H
#define QCAP_GETTER_H

#include "getter_field.h"
#include "qcap.h"

/* ---------------------------------------------------------------- tokens */

typedef struct qcapint_token {
    const char *text; /* in the getter's text */
    size_t len;
    int kind;         /* of getter_parser.h */
} qcapint_token_t;

/* Reading of a text; `cursor` and `begin` are its first byte at first. A NUL ends it. */
typedef struct qcapint_lexer {
    const char *cursor; /* the next byte */
    const char *begin;  /* of the token at hand */
    bool is_slice;      /* between brackets, where a colon is one */
} qcapint_lexer_t;

/* The next token; behind the last one, END again and again. */
qcapint_token_t qcapint_lexer_next(qcapint_lexer_t *lexer);

/* ---------------------------------------------------------------- compiled form */

/* A value to compare with, or a range of them. */
typedef struct qcapint_literal {
    qcap_value_t low, high; /* the same value, unless it is a range */
    bool is_range;
    unsigned prefix;        /* bits of an address that count; 0 bits may be meant: see has_prefix */
    bool has_prefix;
} qcapint_literal_t;

/* Where values come from. */
typedef struct qcapint_operand {
    qcap_value_type_t type;
    const qcapint_field_t *rows; /* a header's field; NULL: elements */
    uint32_t row_count;
    const char *element;   /* their name: a protocol, or as for handlers; owned by the getter */
    bool is_whole;         /* none of the following */
    bool is_decimal;       /* an element's text is read as a number */
    uint32_t mask;         /* bits of a number that count; 0: all */
    bool has_slice;        /* only the bytes [begin, begin + len) */
    uint32_t slice_begin;
    uint32_t slice_len;    /* UINT32_MAX: up to the last one */
} qcapint_operand_t;

/* One step; `result` is the getter's only register. ORDER run() in getter.c. */
typedef enum {
    QCAPINT_STEP_EXISTS,      /* result = left has a value, that is not 0 if it has a mask */
    QCAPINT_STEP_EQUAL,       /* result = left compared with the literals, or with right if there is none; so to GREATER_EQUAL */
    QCAPINT_STEP_DIFFERS,
    QCAPINT_STEP_LESS,
    QCAPINT_STEP_LESS_EQUAL,
    QCAPINT_STEP_GREATER,
    QCAPINT_STEP_GREATER_EQUAL,
    QCAPINT_STEP_CONTAINS,
    QCAPINT_STEP_NOT,         /* result = !result */
    QCAPINT_STEP_AND,         /* goes to target unless result */
    QCAPINT_STEP_OR           /* goes to target if result */
} qcapint_step_kind_t;

typedef struct qcapint_step {
    uint8_t kind;          /* qcapint_step_kind_t */
    uint32_t target;       /* AND, OR: a step behind this one */
    uint32_t literal;      /* comparisons: the first of the literals; */
    uint32_t literal_count; /* 0: none, but another operand */
    qcapint_operand_t left, right;
} qcapint_step_t;

struct qcap_getter {
    qcap_t *q;                   /* the handle, whose budget pays */
    size_t size;                 /* of this block: all below lies in it */
    uint32_t wanted;             /* kinds of headers that are asked for: see qcapint_layers_find() */
    uint32_t step_count;
    uint32_t literal_count;
    bool has_elements;           /* names some */
    qcapint_step_t *steps;
    qcapint_literal_t *literals;
    unsigned char *pool;         /* bytes of literals and names: the next free one while it is compiled */
};

/* Compiles the text into a getter whose arrays are large enough for it: a step, and a literal with its bytes, for each token.
 * False after a complaint, qcapint_fail(). */
bool qcapint_getter_parse(qcap_getter_t *getter, const char *text);

/* Reads a token as a value of that type, with what bytes it has put to `*pool`. NULL, or why it is none. */
const char *qcapint_literal_read(const qcapint_token_t *token, qcap_value_type_t type, qcapint_literal_t *literal,
                                 unsigned char **pool);

#endif
