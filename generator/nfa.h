/* nfa.h: the grammar as a graph: every reference written out, every annotation an operation or a control point.
 *
 *     NFA_BYTE       set, next          reads one byte of the set
 *     NFA_COUNT      set, limit, next   reads `limit` bytes of the set, or (is_optional) at most so many: note [counter]
 *     NFA_SPLIT      branches           ordered: earlier branches are preferred
 *     NFA_OP         op, next           performs an operation
 *     NFA_SCOPE      scope, next        a reading enters an alternation that has a cut
 *     NFA_LEAVE      scope, next        and leaves it
 *     NFA_CUT        scope, next        later readings that entered the scope at the same place die
 *     NFA_FALLBACK   next, other, level `other` is kept at hand for the case that `next` fails: note [fallback]
 *     NFA_CONTROL    control            the parser does something else than look at a byte
 *     NFA_ACCEPT                        the input, or the region, may end                                     */
#ifndef QCAPGEN_NFA_H
#define QCAPGEN_NFA_H

#include "regop.h"

typedef enum {
    NFA_BYTE,
    NFA_COUNT,
    NFA_SPLIT,
    NFA_OP,
    NFA_SCOPE,
    NFA_LEAVE,
    NFA_CUT,
    NFA_FALLBACK,
    NFA_CONTROL,
    NFA_ACCEPT
} nfa_kind_t;

/* Where in the grammar a state stands: one link for each rule, alternative or region that encloses it. */
typedef struct context {
    const struct context *parent;
    const rule_t *rule;     /* the innermost rule ... */
    const node_t *reference; /* ... and the node of the parent's rule that refers to it; NULL if none does */
    unsigned element;       /* the innermost emitted element, ELEMENT_NONE at the top */
    unsigned depth;         /* emitted elements and anomalies around */
    unsigned regions;       /* `length`, `until` and `until close` around */
    unsigned untils;        /* of them, those whose end is looked for */
    unsigned repeats;       /* repeats that are counted around */
    unsigned procedure;     /* what it is in, or PROCEDURE_NONE; then all numbers count from its beginning */
    unsigned level;         /* readings with a fallback around */
    unsigned saved;         /* room that saved registers take here */
    const struct context *guard; /* the innermost of them: the link where it begins; NULL: none. Note [fallback] */
    int conversion;         /* this link is a conversion's rule: its index; else -1 */
    bool is_stream;         /* inside a stream element */
    bool is_atomic;         /* inside an atomic rule */
    const node_t *choice;   /* this link is an alternation */
    unsigned alternative;   /* this link is one of several alternatives: its number, from 1; else 0 */
    unsigned scope;         /* its scope, or the rule's */
    unsigned skip;          /* this link is a rule's with `until`: the number of its CONTROL_SKIP */
    VEC(unsigned) open_ops; /* what opening this rule performs: numbers of operations */
} context_t;

#define JOINED_MAX 512u /* bytes of an element's joined value: QCAP_JOINED_MAX in parser.h */
#define SEARCH_MAX 32u  /* bytes that a search may go back: QCAP_SEARCH_MAX in parser.h */
#define ELEMENT_NONE 0xffffu
#define PROCEDURE_NONE 0xffffffffu
#define STATE_NONE 0xffffffffu

typedef struct nfa_state {
    nfa_kind_t kind;
    const context_t *context;
    const node_t *node;      /* where the state stands in its rule's body, NULL behind the last item */
    charset_t set;           /* NFA_BYTE, NFA_COUNT */
    unsigned before;         /* NFA_BYTE: bytes of the string in `node` that come before this one */
    unsigned limit;          /* NFA_COUNT */
    bool is_optional;        /* NFA_COUNT */
    unsigned next;
    unsigned other;          /* NFA_FALLBACK */
    unsigned level;          /* NFA_FALLBACK: of what may fail, counted from 1 */
    const context_t *guard;  /* NFA_FALLBACK: the link in which everything that may fail stands */
    const char *name;        /* NFA_FALLBACK: the rule that may fail; NULL: alternatives of an atomic rule */
    unsigned op;             /* NFA_OP */
    unsigned scope;          /* NFA_SCOPE, NFA_LEAVE, NFA_CUT */
    unsigned control;        /* NFA_CONTROL */
    VEC(unsigned) branches;  /* NFA_SPLIT */
} nfa_state_t;

/* Of two bytes that can follow each other the first, and the second. */
typedef struct two {
    charset_t first, second;
} two_t;

typedef enum {
    CONTROL_CHOICE,
    CONTROL_REFINE,
    CONTROL_LENGTH,
    CONTROL_AT,
    CONTROL_CLOSE,
    CONTROL_POP,
    CONTROL_BECOME,
    CONTROL_CALL,
    CONTROL_RETURN,
    CONTROL_REPEAT, /* begins to count how often something is repeated */
    CONTROL_AGAIN,  /* once more, or not: what must come, what may, what follows */
    CONTROL_DONE,   /* forgets the number */
    CONTROL_UNTIL,
    CONTROL_SKIP    /* passes over what ended it */
} control_kind_t;

/* What ends a rule by `until` is made of texts, and of what registers hold. */
typedef struct piece {
    const reg_t *reg; /* NULL: none */
    const char *text;
    size_t len;
    bool is_case_sensitive;
} piece_t;

typedef VEC(piece_t) pieces_t;

/* A control point. `targets` are NFA states here, DFA states in the automaton. */
typedef struct control {
    control_kind_t kind;
    place_t place;
    const rule_t *rule;
    bool is_shared;              /* looks at what the other side writes */
    VEC(const expr_t *) guards;  /* CONTROL_CHOICE: one for each target; NULL: always */
    const reg_t *reg;            /* CONTROL_POP */
    unsigned conversion;         /* CONTROL_REFINE: its keyword is the index of the target, 0 for none */
    const expr_t *expr;          /* CONTROL_LENGTH, _AT; CONTROL_REPEAT, _AGAIN, _DONE: how often, or NULL */
    pieces_t pieces;             /* CONTROL_UNTIL: what ends it */
    bool is_line;                /* CONTROL_UNTIL: at the beginning of a line alone */
    unsigned skip;               /* CONTROL_UNTIL: the number of its CONTROL_SKIP */
    charset_t next;              /* CONTROL_UNTIL, in the automaton: bytes that can follow what ends it; all: nobody looks. _BECOME */
    VEC(two_t) twos;             /* CONTROL_UNTIL, in the automaton: which bytes can follow some of these */
    const node_t *repeat;        /* CONTROL_REPEAT, _AGAIN, _DONE */
    const queue_t *queue;        /* CONTROL_POP */
    const reg_t *key;            /* CONTROL_POP: of the entry; NULL: the first one */
    const char *protocol;        /* CONTROL_BECOME */
    unsigned procedure;          /* CONTROL_CALL, CONTROL_RETURN */
    bool is_joint;               /* CONTROL_CALL, in the automaton: of several readings; see note [joint] in dfa.c */
    unsigned depth;              /* CONTROL_CALL: elements and anomalies around, in the procedure that calls */
    VEC(unsigned) returns;       /* CONTROL_RETURN: NFA states where it may go on */
    VEC(unsigned) targets;       /* CONTROL_LENGTH, _AT, _CLOSE, _UNTIL, _CALL: the start of what is inside, then what follows it */
} control_t;

/* A rule that contains itself is built once, and called. Elements in it have one path, however deep they are nested: that of the
 * first call. So for each element that it is called in from outside there is a procedure; one alone if it has no annotations. */
typedef struct procedure {
    const rule_t *rule;
    unsigned element;           /* around */
    bool is_stream, is_atomic;  /* what is around */
    bool is_plain;              /* no annotation is in it that does anything */
    unsigned outer;             /* the procedure with the first call, or PROCEDURE_NONE */
    unsigned head;              /* state where it begins */
    unsigned end;               /* and its CONTROL_RETURN */
} procedure_t;

/* Most of what can be open at once. */
typedef struct nest {
    unsigned depth;   /* elements and anomalies */
    unsigned regions;
    unsigned untils;  /* regions whose end is looked for */
    unsigned repeats; /* that are counted */
    unsigned saved;   /* 64-bit words that saved registers take */
} nest_t;

/* An element: the path is its parent's and its name. */
typedef struct element {
    const char *name;
    unsigned parent;   /* index, or ELEMENT_NONE */
    unsigned selector; /* the element whose text selects it, or ELEMENT_NONE */
    const char *separator; /* its value is joined from parts, with this between; NULL: it is not */
    bool is_stream;
    unsigned senders;  /* in what it is met, a bit each: 1 client, 2 server, 4 datagram, 8 sub-stream */
    bool is_used;      /* by a rule that emits it: what separator says counts */
} element_t;

/* How the text of a rule becomes a register's value. */
typedef struct conversion {
    convert_kind_t kind;
    const reg_t *reg;       /* NULL for a refinement's own: its keywords are `keywords` ... */
    const note_t *refine;   /* ... and this says so */
    bool is_unique;
    const rule_t *rule;     /* that has it, for messages */
    VEC(const char *) keywords;
    unsigned text_size;     /* bytes that are kept of a text while it is read; 0: it is a number */
    unsigned accumulator_count; /* how many of it can be under way at once: see position.c */
} conversion_t;

/* One of several alternatives, as it is written out in one place. */
typedef struct alternative {
    const node_t *node;
    const node_t *choice; /* of which it is one */
    const rule_t *rule;   /* that has it */
    bool is_taken;        /* a reading has come to its end, and been the first there: set by closure.c */
} alternative_t;

typedef VEC(const node_t *) repeats_t;

/* A sub-stream: the bytes of rules that feed it, one after the other, are read by a rule, or by another protocol. */
typedef struct feed {
    const rule_t *rule;         /* NULL: another protocol reads it ... */
    const char *protocol;       /* ... of this name */
    bool is_datagram;           /* it is read as a whole, when it is finished */
    bool is_excerpt;            /* it may end anywhere */
    VEC(const note_t *) decoders; /* that the bytes go through, in order */
    unsigned start, search;     /* of the rule, as of roots */
} feed_t;

typedef struct nfa {
    arena_t *arena;
    const grammar_t *grammar;
    VEC(nfa_state_t) states;
    ops_t ops;
    VEC(control_t) controls;
    VEC(element_t) elements;
    VEC(conversion_t) conversions;
    VEC(feed_t) feeds;
    VEC(alternative_t) alternatives;      /* but those that are sets of bytes, all of which have become one */
    unsigned until_max;                   /* bytes of the longest text that can end a rule by `until` ... */
    bool until_is_folded;                 /* ... and whether there are some with letters of either case */
    VEC(bool) scope_used;                 /* scopes that a cut refers to */
    VEC(procedure_t) procedures;
    bool has_joined;                      /* some element's value is joined */
    nest_t nest;                          /* outside of procedures ... */
    nest_t nest_of_calls;                 /* ... where one is called */
    nest_t call_nest;                     /* in the procedure with the most ... */
    nest_t call_nest_of_calls;            /* ... where it calls */
    unsigned client, server;              /* starts, or STATE_NONE */
    unsigned client_search, server_search; /* where to begin after an error, or STATE_NONE */
    unsigned datagram;                     /* start, or STATE_NONE: of either side's datagrams */
    repeats_t unrolled;                     /* repeats that a counter will not do for: see note [counter] */
    bool is_given_up;                       /* the automaton is too large: it would only grow with repeats written out */
    unsigned *came_from;                  /* by state: a state from which one came here; for closure.c alone */
    unsigned *visited;                    /* by state: the last closure that met it; for closure.c alone */
    unsigned generation;                  /* the closure under way */
} nfa_t;

/* True if `node` reads exactly one byte and does nothing else: `set` has which. */
bool nfa_set_of(const node_t *node, charset_t *set);

/* True if a reading reads a byte of the state's set there. */
static inline bool nfa_reads(const nfa_state_t *state)
{
    return state->kind == NFA_BYTE || state->kind == NFA_COUNT;
}

/* Is what it does seen from outside? */
bool nfa_is_telling(const nfa_t *nfa, const op_t *op);

/* The repeats in `unrolled` are written out however large they are; NULL: all are. NULL if the grammar cannot be built: `diag` says
 * why. */
nfa_t *nfa_build(const grammar_t *grammar, const repeats_t *unrolled, diag_t *diag);
void nfa_print(const nfa_t *nfa, text_t *text);

#endif
