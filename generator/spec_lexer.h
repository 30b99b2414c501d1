/* spec_lexer.h: from the text of a spec to tokens: of its rules, and of one annotation after the other. */
#ifndef QCAPGEN_SPEC_LEXER_H
#define QCAPGEN_SPEC_LEXER_H

#include <stdint.h>

#include "diag.h"
#include "vec.h"

/* Parentheses and brackets inside each other, in rules and in expressions. */
#define SPEC_DEPTH_MAX 200

typedef struct token {
    int kind;               /* as spec_parser.h numbers them; 0: the end */
    place_t place;          /* of all of it, quotes included */
    const char *text;       /* names: as spelled; strings and prose: what is inside; NUL-terminated */
    size_t len;             /* of text, which may hold NUL bytes if it is a string's */
    bool is_case_sensitive; /* strings */
    bool is_first;          /* on its line */
    bool is_behind_mistake; /* something before it was left out, with a message */
    uint64_t number;        /* numbers */
    unsigned low, high;     /* 1*2 */
    uint64_t first, last;   /* %x41-5A, %x41-10FFFF, %x0000-FFFF */
    unsigned width;         /* likewise: bytes of a number; 0: bytes and code points */
} token_t;

typedef VEC(token_t) tokens_t;

typedef struct comment {
    place_t place;      /* from the semicolon to the end of the line */
    bool is_annotation; /* begins `;@` */
    bool is_first;      /* nothing but blanks before it on its line */
    bool is_directive;  /* an annotation in column one */
} comment_t;

typedef VEC(comment_t) comments_t;

/* The tokens of all rules, and the comments between them. A name before `=` or `=/` is a TOKEN_RULE_NAME. The last
 * token is the end. */
void lex_rules(arena_t *arena, const source_t *source, diag_t *diag, tokens_t *tokens, comments_t *comments);

/* The tokens of one annotation, and the end. */
void lex_annotation(arena_t *arena, const comment_t *comment, diag_t *diag, tokens_t *tokens);

#endif
