/* resolver.h: what the parts of resolving share. Only resolve*.c includes it. */
#ifndef QCAPGEN_RESOLVER_H
#define QCAPGEN_RESOLVER_H

#include "grammar.h"
#include "scope.h"

/* A register as it is being declared and used. */
typedef struct declared {
    reg_t *reg;      /* what the grammar will have */
    bool is_main;    /* of the file that was asked for: kept even if nothing uses it */
    bool is_written; /* by a conversion, an assignment or `pop` */
    bool is_used;    /* at all */
    place_t read;    /* where it is read first; no source: nowhere */
} declared_t;

/* A queue likewise. */
typedef struct declared_queue {
    queue_t *queue;       /* what the grammar will have */
    bool is_main;         /* as of registers */
    bool is_used;         /* at all */
    bool is_pushed;       /* by something */
    place_t popped;       /* where first; no source: nowhere */
    const reg_t *partner; /* a register that was pushed or popped: all have the same keywords */
    const reg_t *key;     /* and a key: all have the same type and keywords; NULL: not by key, or not used yet */
} declared_queue_t;

typedef struct resolver {
    arena_t *arena;                          /* of the compilation */
    diag_t *diag;                            /* where complaints go */
    scope_t *scope;                          /* which rule a name means */
    grammar_t *grammar;                      /* what is being made */
    VEC(definition_t *) wanted;              /* what has a rule: first in the order of need, then of definition */
    map_t registers;                         /* name → declared_t */
    map_t queues;                            /* name → declared_queue_t */
    VEC(declared_t *) declared;              /* all of `registers`, in order */
    VEC(declared_queue_t *) declared_queues; /* all of `queues`, in order */
    map_t unknown;                           /* names of no register or queue, reported already */
    size_t node_count;                       /* of all bodies; see NODE_MAX */
    bool *can_be_empty;                      /* rules by index; NULL before resolve_find_empty() */
} resolver_t;

/* Lists inside lists double what they enclose; nobody needs that many nodes. */
#define NODE_MAX 1000000

/* resolve_body.c: the rule of a definition; its body is built in due time. */
rule_t *resolve_rule(resolver_t *resolver, definition_t *definition);

/* An expression's tree as nodes of the grammar. */
node_t *resolve_node(resolver_t *resolver, const ast_node_t *ast);

node_t *resolve_new_node(resolver_t *resolver, node_kind_t kind, place_t place);

/* resolve_register.c: `register`, `shared` and `queue` directives of all files. */
void resolve_registers(resolver_t *resolver);

/* The register of that name, NULL after a complaint if there is none. */
declared_t *resolve_register(resolver_t *resolver, const ast_name_t *name);
declared_queue_t *resolve_queue(resolver_t *resolver, const ast_name_t *name);

/* Fills the grammar's lists of registers and queues: imported ones only if something uses them. Complains about what is
 * read and never written. */
void resolve_register_lists(resolver_t *resolver);

/* resolve_expr.c: a number, or a condition; NULL after a complaint. */
const expr_t *resolve_number(resolver_t *resolver, const ast_expr_t *ast);
const expr_t *resolve_condition(resolver_t *resolver, const ast_expr_t *ast);

/* Do the keywords of both have the same numbers? */
bool resolve_same_keywords(const reg_t *a, const reg_t *b);

/* What is assigned to a register: of the register's type. */
const expr_t *resolve_assigned(resolver_t *resolver, const reg_t *reg, const ast_expr_t *ast);

/* resolve_notes.c: the notes of a rule, or of one of its several alternatives, whose node is `body`. */
void resolve_notes(resolver_t *resolver, const rule_t *rule, const node_t *body, bool is_alternative,
                   const ast_notes_t *ast, notes_t *notes);

/* resolve_empty.c: finds out which rules can read nothing; then, whether a node can. */
void resolve_find_empty(resolver_t *resolver);
bool resolve_can_be_empty(const resolver_t *resolver, const node_t *node);

/* Takes the empty readings out of what is repeated without bound. */
void resolve_empty_loops(resolver_t *resolver);

/* resolve_width.c: what `be16` and its like are said of reads exactly so many bytes; what has a `length` can have it. */
void resolve_check_widths(resolver_t *resolver);

/* resolve_edges.c: what bytes say of a rule. */
typedef struct edges {
    charset_t begin;  /* it can begin with these */
    charset_t more;   /* where it could have ended, it can go on with these */
    charset_t behind; /* where it is referred to, these can follow */
} edges_t;

/* By index. After resolve_find_empty(). */
const edges_t *resolve_find_edges(const resolver_t *resolver);

/* resolve_cycle.c: says of all rules whether they are called. False if it could not tell: they contain each other in too
 * many ways. */
bool resolve_choose_called(resolver_t *resolver);

/* resolve_check.c: what only the whole grammar shows. False if later checks, which recurse over rules, must not run. */
bool resolve_check_recursion(resolver_t *resolver);
void resolve_check_reach(resolver_t *resolver);

#endif
