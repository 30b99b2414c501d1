/* ast.h: the syntax tree of one spec file: what was written, before any name has a meaning.
 *
 * An expression is a tree of nodes:
 *
 *     AST_NAME           text        a rule's name
 *     AST_PROSE          text        <what stands between the angles>
 *     AST_STRING         text        "abc", %s"abc", %x61.62.63
 *     AST_SET            first, last %x61, %x61-7A; beyond %xFF: code points; with a width: numbers of so many bytes
 *     AST_ALTERNATION    children    a / b, two at least
 *     AST_CONCATENATION  children    a b, two at least
 *     AST_REPETITION     children[0] 1*2a, 2a; an option [ a ] is *1a
 *     AST_LIST           children[0] 1#2a (RFC 9110, 5.6.1)
 *
 * Groups leave no node: the tree says what they said. A rule keeps its top-level alternatives apart, because
 * annotations may stand at each. */
#ifndef QCAPGEN_AST_H
#define QCAPGEN_AST_H

#include "grammar.h"

/* The prose `<">` of older RFCs, and what it stands for unless it is bound to something else. */
#define AST_QUOTE "\""
#define AST_QUOTE_RULE "DQUOTE"

typedef enum {
    AST_NAME,
    AST_PROSE,
    AST_STRING,
    AST_SET,
    AST_ALTERNATION,
    AST_CONCATENATION,
    AST_REPETITION,
    AST_LIST
} ast_kind_t;

typedef struct ast_node {
    ast_kind_t kind;        /* which of the other fields mean something */
    place_t place;          /* all of it, without the parentheses around it */
    const char *text;       /* AST_NAME, AST_PROSE, AST_STRING */
    size_t len;             /* AST_STRING: its text may hold NUL bytes */
    bool is_case_sensitive; /* AST_STRING */
    uint64_t first, last;   /* AST_SET: inclusive; bytes, or code points if `last` is no byte */
    unsigned width;         /* AST_SET: numbers of so many bytes instead; or 0 */
    unsigned min, max;      /* AST_REPETITION, AST_LIST; max may be REPEAT_UNBOUNDED */
    VEC(struct ast_node *) children; /* parts, in order */
} ast_node_t;

/* A name in an annotation, and where it stands. */
typedef struct ast_name {
    const char *text; /* NULL: there is none */
    place_t place;    /* without the quotes that may be around it */
} ast_name_t;

/* As expr_t, but names are names: EXPR_REGISTER is a register or a keyword. */
typedef struct ast_expr {
    expr_kind_t kind;                    /* which of the other fields mean something */
    place_t place;                       /* from its first operand to its last */
    uint64_t number;                     /* EXPR_NUMBER */
    const char *name;                    /* EXPR_REGISTER */
    const struct ast_expr *left, *right; /* operands; EXPR_NOT has no right one */
    unsigned depth;                      /* of the tree below */
} ast_expr_t;

/* One entry of `refine VALUE by NAME: entry…`. */
typedef struct ast_entry {
    ast_name_t name; /* the text that NAME is compared with */
    ast_name_t rule; /* what reads VALUE then; the same as name unless `name=rule` was written */
    bool is_strict;  /* `!` */
} ast_entry_t;

/* An annotation: as note_t, but names are names. */
typedef struct ast_note {
    note_kind_t kind;          /* which of the other fields mean something */
    place_t place;             /* of all its words */
    ast_name_t name;           /* NOTE_EMIT: the name behind `as`; NOTE_ANOMALY, NOTE_BECOME */
    bool is_stream, is_unique; /* NOTE_EMIT; NOTE_CONVERT, NOTE_SET */
    bool is_datagram, is_excerpt; /* NOTE_FEED */
    ast_name_t transport;      /* NOTE_EXPECT: whose reg is `client`, `server` or a register */
    ast_name_t reg;            /* NOTE_CONVERT, NOTE_SET, NOTE_PUSH, NOTE_POP */
    VEC(ast_name_t) regs;      /* NOTE_RESET, NOTE_LOCAL; NOTE_EMIT: the rules that are joined */
    const convert_t *convert;  /* NOTE_CONVERT */
    const ast_expr_t *expr;    /* NOTE_SET, NOTE_LENGTH, NOTE_COUNT, NOTE_WHEN */
    ast_name_t queue, key;     /* NOTE_PUSH, NOTE_POP; key: if there is one */
    const char *separator;     /* NOTE_EMIT: between what is joined; NULL: nothing is */
    ast_name_t rule;           /* NOTE_CUT: if one was named */
    ast_name_t value, by;      /* NOTE_REFINE */
    VEC(ast_entry_t) entries;  /* NOTE_REFINE */
    VEC(const ast_node_t *) parts; /* NOTE_UNTIL: names, strings, sets of one byte; NOTE_BECOME: a set, or nothing */
    bool is_line;              /* NOTE_UNTIL */
} ast_note_t;

typedef VEC(ast_note_t *) ast_notes_t;

typedef struct ast_alternative {
    ast_node_t *node;  /* what it reads */
    ast_notes_t notes; /* that stand on a line of this alternative alone */
} ast_alternative_t;

typedef struct ast_rule {
    ast_name_t name;                     /* in its definition */
    bool is_addition;                    /* `=/`: more alternatives for a rule that exists */
    VEC(ast_alternative_t) alternatives; /* one at least */
    ast_notes_t notes;                   /* of the rule */
    const char *section;                 /* "RFC 9112, 3", or "" */
} ast_rule_t;

/* ---------------------------------------------------------------- directives */

/* register NAME : TYPE, shared NAME : TYPE, queue NAME(CAPACITY) : TYPE */
typedef struct ast_register {
    ast_name_t name;          /* in its declaration */
    register_type_t type;     /* of its value, or of a queue's entries */
    bool is_shared;           /* `shared` */
    unsigned size;            /* REGISTER_BYTES */
    VEC(ast_name_t) keywords; /* REGISTER_KEYWORD; none for a queue */
    unsigned capacity;        /* of a queue */
} ast_register_t;

/* client = EXPR, server = EXPR, datagram = EXPR */
typedef enum { ROOT_CLIENT, ROOT_SERVER, ROOT_DATAGRAM, ROOT_COUNT } root_kind_t;

typedef struct ast_port {
    ast_name_t transport; /* "tcp", "udp" */
    unsigned number;      /* 1 to 65535 */
} ast_port_t;

/* prose "TEXT" = RULE */
typedef struct ast_binding {
    ast_name_t prose; /* what stands between the angles */
    ast_name_t rule;  /* what that means */
} ast_binding_t;

/* rule NAME: notes, rule NAME/2: notes */
typedef struct ast_remark {
    ast_name_t rule;      /* what is annotated */
    unsigned alternative; /* from 1; 0: the rule */
    ast_notes_t notes;    /* what is said of it */
} ast_remark_t;

typedef struct ast {
    const source_t *source;          /* the file */
    VEC(ast_rule_t *) rules;         /* in the order of the file */
    ast_name_t protocol, title;      /* `protocol NAME "TITLE"` */
    VEC(ast_name_t) imports;         /* file names as written */
    VEC(ast_port_t) ports;           /* one for each number */
    place_t entered;                 /* of that word; empty: it is not there */
    unsigned depth;                  /* `depth N`; 0: not given */
    VEC(ast_register_t *) registers; /* shared ones too */
    VEC(ast_register_t *) queues;    /* with what a register has, and a capacity */
    ast_node_t *roots[ROOT_COUNT];   /* NULL: not given */
    VEC(ast_binding_t) bindings;     /* `prose` */
    VEC(ast_remark_t) remarks;       /* `rule NAME: …` */
    VEC(struct ast *) imported;      /* one for each of imports, loaded; a file that is imported twice is here twice */
} ast_t;

ast_node_t *ast_node_new(arena_t *arena, ast_kind_t kind, place_t place);

/* `first` and `next` joined as a node of that kind, which has `first`'s children if it is one already. */
ast_node_t *ast_join(arena_t *arena, ast_kind_t kind, ast_node_t *first, ast_node_t *next);

/* As ABNF and annotations: what --dump=tree prints. */
void ast_print(const ast_t *ast, text_t *text);

#endif
