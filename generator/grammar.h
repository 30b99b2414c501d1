/* grammar.h: the resolved grammar, which is what every later stage reads.
 *
 * Resolving has been through with names: references point at rules, imports and overrides are settled, prose values are
 * bound, list extensions are written out, registers and keywords are found, and every annotation stands at the node or
 * rule it belongs to. What is here is right in itself; what can still be wrong is what only an automaton shows.
 *
 * A rule's body is a tree of nodes:
 *
 *     NODE_EMPTY                  nothing, ""
 *     NODE_SET       set          one byte of a set: %x41-5A
 *     NODE_STRING    text         bytes in order; letters of both cases unless is_case_sensitive
 *     NODE_SEQUENCE  children     one after the other
 *     NODE_CHOICE    children     ordered alternatives
 *     NODE_REPEAT    children[0]  min to max times, greedy
 *     NODE_RULE      rule         a reference
 *
 * Annotations hang on a node (one of several alternatives, which are the children of a body that is a NODE_CHOICE) or
 * on the rule. A node stands in one place of one tree. What is repeated without bound reads at least a byte each time.
 * Rules may contain themselves, though not at their beginning. Every way back into a rule that is open passes a rule that
 * is_called; between those, rules lie inside each other no more than a thousand levels deep, their nodes counted: later
 * stages may recurse over all of it, as long as they do not follow references to rules that are called. */
#ifndef QCAPGEN_GRAMMAR_H
#define QCAPGEN_GRAMMAR_H

#include <stdbool.h>
#include <stdint.h>

#include "charset.h"
#include "diag.h"
#include "vec.h"

typedef struct rule rule_t;
typedef struct node node_t;

#define REPEAT_UNBOUNDED 0xffffffffu

/* ---------------------------------------------------------------- registers and expressions */

typedef enum { REGISTER_UINT, REGISTER_FLAG, REGISTER_KEYWORD, REGISTER_BYTES } register_type_t;

/* A register of one direction, or (is_shared) of both. */
typedef struct reg {
    const char *name;           /* a C identifier */
    place_t place;              /* of its declaration */
    register_type_t type;       /* of its value */
    bool is_shared;             /* both directions have one and the same */
    unsigned size;              /* REGISTER_BYTES: the most it holds */
    VEC(const char *) keywords; /* REGISTER_KEYWORD: value k is keywords[k - 1], 0 is none of them */
    unsigned index;             /* among the registers of its kind (shared, or not): numbers and texts stand before words */
    bool is_word;               /* two bytes are enough for it: a keyword or flag of one direction */
    unsigned word;              /* is_word: index among those */
} reg_t;

typedef struct queue {
    const char *name;     /* a C identifier */
    place_t place;        /* of its declaration */
    unsigned capacity;    /* entries it holds at most */
    register_type_t type; /* of an entry: the type of all registers that are pushed or popped */
    bool is_keyed;        /* entries are found by key */
    unsigned key_size;    /* bytes of an entry's key, if that is a text */
    unsigned index;       /* among the queues */
} queue_t;

/*  EXPR_NUMBER    number                     EXPR_ADD SUB MUL AND_BITS    left op right, checked
 *  EXPR_REGISTER  reg                        EXPR_EQ LT LE GT GE          false if a side is unset
 *  EXPR_IS_SET    reg                        EXPR_AND OR                  conditions
 *  EXPR_TRUE                                 EXPR_NOT                     left                                */
typedef enum {
    EXPR_NUMBER,
    EXPR_REGISTER,
    EXPR_IS_SET, /* a bare name where a condition is wanted; for a flag: is set and true */
    EXPR_TRUE,
    EXPR_FALSE,
    EXPR_ADD,
    EXPR_SUB,
    EXPR_MUL,
    EXPR_AND_BITS,
    EXPR_EQ,
    EXPR_NE,
    EXPR_LT,
    EXPR_LE,
    EXPR_GT,
    EXPR_GE,
    EXPR_AND,
    EXPR_OR,
    EXPR_NOT
} expr_kind_t;

typedef struct expr {
    expr_kind_t kind;                /* which of the other fields mean something */
    place_t place;                   /* from its first operand to its last */
    uint64_t number;                 /* EXPR_NUMBER; a keyword's name has become its number */
    const char *keyword;             /* EXPR_NUMBER: the name it had, or NULL */
    const reg_t *reg;                /* EXPR_REGISTER, EXPR_IS_SET */
    const struct expr *left, *right; /* operands; NULL where there is none */
} expr_t;

/* ---------------------------------------------------------------- annotations */

typedef enum {
    NOTE_EMIT,    /* name, is_stream */
    NOTE_CONVERT, /* reg, convert, is_unique:  reg = decimal unique */
    NOTE_SET,     /* reg, expr, is_unique:     reg = true */
    NOTE_RESET,   /* regs */
    NOTE_LOCAL,   /* regs */
    NOTE_LENGTH,  /* expr */
    NOTE_COUNT,   /* expr: of a repeat */
    NOTE_AT,      /* expr */
    NOTE_UNTIL,   /* parts, is_line */
    NOTE_FEED,    /* rule or name, is_datagram, is_excerpt */
    NOTE_FINISH,  /* rule or name */
    NOTE_DECODE,  /* name, reg; or reg alone: its keywords are names */
    NOTE_UNTIL_CLOSE,
    NOTE_WHEN,   /* expr */
    NOTE_REFINE, /* value, by, entries */
    NOTE_CUT,    /* rule: the one whose later readings die; NULL: the nearest alternation */
    NOTE_ATOMIC,
    NOTE_ANOMALY, /* name */
    NOTE_PUSH,    /* queue, reg */
    NOTE_POP,     /* queue, reg */
    NOTE_BECOME,  /* name: the protocol, "?"; or reg: its keywords are names */
    NOTE_EXPECT,  /* transport, reg or is_server, expr, name */
    NOTE_RESYNC,
    NOTE_PART, /* an element joins the texts of this rule; follows from that element */
    NOTE_ORDERED  /* the order in which readings are preferred is meant: no ambiguity */
} note_kind_t;

/* How the bytes of a rule become a value. ORDER: QCAP_CONVERT_ in parser.h, names in grammar.c. */
typedef enum {
    CONVERT_DECIMAL,
    CONVERT_HEX,
    CONVERT_OCTAL,
    CONVERT_BIG,     /* u8, be16 .. be64: bytes, the highest first */
    CONVERT_LITTLE,  /* le16 .. le64: the lowest first */
    CONVERT_VARINT,  /* LEB128: seven bits of each byte, the lowest first */
    CONVERT_KEYWORD,
    CONVERT_JOIN,    /* a part of the value of an element */
    CONVERT_BYTES,
    CONVERT_UNQUOTE  /* the content of a quoted-string; what has no quotes is taken as it is */
} convert_kind_t;

typedef struct convert {
    const char *word;    /* as annotations have it */
    convert_kind_t kind;
    unsigned width;      /* CONVERT_BIG, CONVERT_LITTLE: bytes that the rule reads; else 0 */
} convert_t;

typedef struct refine_entry {
    place_t place;      /* of the name */
    const char *name;   /* the text that NAME is compared with */
    const rule_t *rule; /* what reads VALUE then */
    bool is_strict;     /* `!`: a mismatch is an error, not an anomaly */
} refine_entry_t;

/* A part of what ends a rule by `until`. */
typedef struct until_part {
    place_t place;
    const reg_t *reg;   /* of bytes; NULL: none */
    const node_t *node; /* else: a string, a set of one byte, or a rule that reads one text */
} until_part_t;

typedef struct note {
    note_kind_t kind;            /* which of the other fields mean something */
    place_t place;               /* of all its words */
    const char *name;            /* NOTE_EMIT: of the element, always; NOTE_ANOMALY; NOTE_BECOME */
    bool is_stream, is_unique;   /* NOTE_EMIT; NOTE_CONVERT, NOTE_SET */
    bool is_server;              /* NOTE_EXPECT, without reg: the address is the server's, else the client's */
    const char *transport;       /* NOTE_EXPECT: "tcp", "udp" */
    bool is_datagram;            /* NOTE_FEED: what it is fed is read as one datagram */
    bool is_excerpt;             /* NOTE_FEED: what it is fed may end anywhere */
    const reg_t *reg;            /* NOTE_CONVERT, NOTE_SET, NOTE_PUSH, NOTE_POP */
    VEC(const reg_t *) regs;     /* NOTE_RESET, NOTE_LOCAL */
    const convert_t *convert;    /* NOTE_CONVERT */
    const expr_t *expr;          /* NOTE_SET: of the register's type; NOTE_LENGTH, NOTE_COUNT, NOTE_AT: a number; NOTE_WHEN: a condition */
    const queue_t *queue;        /* NOTE_PUSH, NOTE_POP */
    const reg_t *key;            /* NOTE_PUSH, NOTE_POP: an entry is found by it; NULL: the first one is */
    const char *separator;       /* NOTE_EMIT: between the texts that are joined; NULL: nothing is */
    VEC(const rule_t *) joined;  /* NOTE_EMIT: whose texts are joined */
    const rule_t *rule;          /* NOTE_CUT; NOTE_FEED, NOTE_FINISH: NULL if another protocol is fed */
    const rule_t *value, *by;    /* NOTE_REFINE: both are elements of the annotated sequence, `by` the first of them */
    VEC(refine_entry_t) entries; /* NOTE_REFINE: each name once */
    VEC(until_part_t) parts;     /* NOTE_UNTIL */
    bool is_line;                /* NOTE_UNTIL: at the beginning of a line alone */
    charset_t before;            /* NOTE_BECOME: what the other protocol begins with */
} note_t;

typedef VEC(const note_t *) notes_t;

/* ---------------------------------------------------------------- rules */

typedef enum { NODE_EMPTY, NODE_SET, NODE_STRING, NODE_SEQUENCE, NODE_CHOICE, NODE_REPEAT, NODE_RULE } node_kind_t;

struct node {
    node_kind_t kind;             /* which of the other fields mean something */
    place_t place;                /* where it is written */
    charset_t set;                /* NODE_SET */
    const char *text;             /* NODE_STRING */
    size_t len;                   /* NODE_STRING: may hold NUL bytes */
    bool is_case_sensitive;       /* NODE_STRING */
    VEC(const node_t *) children; /* NODE_SEQUENCE, NODE_CHOICE; NODE_REPEAT: one */
    unsigned min, max;            /* NODE_REPEAT */
    const rule_t *rule;           /* NODE_RULE */
    notes_t notes;                /* of this alternative */
};

struct rule {
    const char *name;    /* as its definition spells it */
    place_t place;       /* of the name in its definition */
    const node_t *body;  /* what it reads */
    notes_t notes;       /* of the rule as a whole */
    const char *section; /* "RFC 9112, 3" from the comment above or beside it, or "" */
    bool is_core;        /* RFC 5234, appendix B.1 */
    bool is_called;      /* contains itself, and is where parsing calls and returns: see resolve_cycle.c */
    unsigned index;      /* in the grammar's rules */
};

typedef struct port {
    const char *transport; /* "tcp", "udp" */
    unsigned number;       /* 1 to 65535 */
} port_t;

#define REGISTERS_MAX 64u /* bits of a parser's set of registers */
#define GRAMMAR_DEPTH 64u /* unless the spec says another */
#define GRAMMAR_DEPTH_MAX 1000u

typedef struct grammar {
    arena_t *arena;           /* what everything here lives in */
    const char *name, *title; /* `protocol`; NULL if the spec has none and is there to be imported */
    VEC(rule_t *) rules;      /* in order of definition: its own, imported ones in use, core ones in use */
    VEC(reg_t *) registers;   /* of one direction */
    VEC(reg_t *) shared;      /* of both */
    VEC(queue_t *) queues;    /* both see them */
    VEC(port_t) ports;        /* hints */
    bool is_entered;          /* never looked for: other protocols lead to it */
    unsigned depth;           /* rules that contain themselves lie so deep inside each other at most */
    const node_t *client, *server, *datagram; /* roots: expressions, or NULL */
    VEC(const char *) files;                  /* paths of the spec, which is the first, and of its imports */
    unsigned share;           /* the bounds of its automata are one of so many parts of the usual; 0: all of them */
} grammar_t;

/* A bound on the size of an automaton, as it is for this grammar. */
static inline unsigned grammar_bound(const grammar_t *grammar, unsigned usual)
{
    return grammar->share ? usual / grammar->share : usual;
}

/* The first root that there is: of the client, the server, or a datagram. */
static inline const node_t *grammar_root(const grammar_t *grammar)
{
    return grammar->client ? grammar->client : grammar->server ? grammar->server : grammar->datagram;
}

/* The rule of that name: exact spelling first, then ignoring case; NULL if there is none. */
const rule_t *grammar_find(const grammar_t *grammar, const char *name);

/* The conversion of that name, NULL if there is none. */
const convert_t *grammar_conversion(const char *word);

/* As ABNF with its annotations, each rule resolved: what --dump=grammar prints. */
void grammar_print(const grammar_t *grammar, text_t *text);

/* An expression as it stands in an annotation. */
void grammar_print_expr(const expr_t *expr, text_t *text);

/* An expression of rules, as ABNF. */
void grammar_print_node(const node_t *node, text_t *text);

#endif
