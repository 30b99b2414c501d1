/* dfa.h: the automaton: what a parser does on each byte.
 *
 *     DFA_BYTES    reads a byte, follows the edge whose set has it
 *     DFA_ENTRY    reads nothing: performs the commits of its one edge, and is its target
 *     DFA_CONTROL  stands at a control point; its targets are in `controls`
 *
 * An edge with a limit is taken not on a byte, but as soon as so many bytes have been read since `begin`: see note [counter] in
 * closure.c.
 *
 * A state has position registers 0 .. register_count - 1: where its pending operations were performed. Following an edge
 * performs its commits in order (their stamps are registers of the source, or distances from the position after the
 * edge), then sets the target's registers from `moves`. */
#ifndef QCAPGEN_DFA_H
#define QCAPGEN_DFA_H

#include "closure.h"

typedef enum { DFA_BYTES, DFA_ENTRY, DFA_CONTROL } dfa_kind_t;

/* A word that samples have, of a conversion that an edge ends. */
typedef struct seen_word {
    const char *text;    /* with the byte that ends it */
    unsigned len;
    unsigned read;       /* bytes of it that have been read where the state of the edge is entered */
    unsigned conversion;
    unsigned keyword;    /* 1 + its index, or 0: it is none */
    uint64_t count;
} seen_word_t;

typedef struct edge {
    charset_t set;        /* empty where no byte is looked at */
    unsigned limit;       /* 0: none */
    stamp_t begin;        /* of the bytes that count for the limit */
    bool is_end;          /* taken where the input, or the region, ends */
    bool is_return;       /* DFA_CONTROL: taken when what is called has returned; see note [joint] in dfa.c */
    unsigned target;
    bool is_hot;          /* likely to be followed: worth direct code */
    uint64_t passes;      /* how often, compared with other edges ... */
    unsigned char byte;   /* ... and by which byte most often ... */
    uint64_t byte_passes; /* ... and how often by that */
    VEC(seen_word_t) seen_words; /* most frequent first */
    bool is_peek;         /* no byte is read: it only decides, for a control point, or is not looked at */
    pendings_t commits;
    VEC(stamp_t) moves;   /* for each register of the target */
} edge_t;

/* A conversion that is under way, or pending, in a state: what has to be kept of a piece that ends there. */
typedef struct underway {
    unsigned conversion;
    bool is_committed; /* its begin is */
    stamp_t begin;     /* else */
    stamp_t end;       /* where the rule ended, if it is not under way any more; else STAMP_BACK, 0 */
} underway_t;

typedef struct dfa_state {
    dfa_kind_t kind;
    configs_t configs;       /* the readings, for names and messages; DFA_ENTRY: none */
    unsigned register_count;
    VEC(edge_t) edges;       /* disjoint sets; a byte in none of them is an error */
    bool is_accepting;       /* the input, or the region, may end here ... */
    pendings_t accept;       /* ... and this is then performed */
    unsigned control;        /* DFA_CONTROL: index in controls */
    VEC(underway_t) underway;
    unsigned held_back;      /* the most bytes behind the position at which something pending began ... */
    VEC(unsigned) held_registers; /* ... or at these registers */
    bool may_stream;         /* a stream element, or what is fed, may have begun */
    stamp_t stream_end;      /* where the open stream element may have ended; STAMP_BACK, 0: goes on */
    bool ends_vary;          /* there are several such places, and which is the first nobody knows */
    bool is_hot;             /* likely to be passed often: worth direct code */
    uint64_t passes;         /* how often, compared with other states ... */
    uint64_t entries;        /* ... of these, from states that are not only reached through it */
    unsigned from;           /* the state it was first reached from, itself for a start */
    int byte;                /* and by which byte; -1: by none */
    unsigned times;          /* how often, where a counter leads there */
    unsigned start;          /* where no byte leads to it: the NFA state at which it begins; else STATE_NONE */
} dfa_state_t;

/* Where two readings that had performed different operations came to the same NFA state: what ambiguity.c begins with. */
typedef struct clash {
    unsigned from;  /* behind `byte` in this state ... */
    int byte;
    unsigned limit; /* ... or, without a byte, where a reading has counted so far ... */
    unsigned start; /* ... or, if not STATE_NONE, where this NFA state begins */
    unsigned at;    /* the NFA state */
} clash_t;

typedef enum {
    REFUSAL_UNDECIDED, /* `first` has performed ever more that `second` has not */
    REFUSAL_COMPETING, /* `first` and `second` go on with the same byte, and one of them stands at a control point */
    REFUSAL_CONVERSION, /* `first` and `second` would convert different bytes of a number: position.c */
    REFUSAL_LISTED     /* `first` is in an atomic rule that can put any number of operations on its list */
} refusal_kind_t;

/* Why there is no automaton. */
typedef struct refusal {
    refusal_kind_t kind;
    clash_t where;          /* the readings there ... */
    unsigned first, second; /* ... and two of them: NFA states, the preferred one first */
    unsigned op;            /* REFUSAL_UNDECIDED: what stays so; REFUSAL_CONVERSION: the conversion */
    unsigned byte;          /* REFUSAL_COMPETING: the next one */
    unsigned states;        /* REFUSAL_UNDECIDED: more than so many had come of it when building gave up; 0: it goes on for ever */
} refusal_t;

typedef struct dfa {
    arena_t *arena;
    nfa_t *nfa;
    VEC(dfa_state_t) states;
    VEC(control_t) controls; /* as the NFA's, with targets in `states` */
    uint8_t class_of[256];   /* bytes that no set tells apart have the same class */
    unsigned class_count;
    unsigned later_max;      /* most words on the list of an atomic rule */
    unsigned later_text_max; /* most bytes of texts on it */
    VEC(refusal_t) refusals; /* if there are any, the automaton is not complete */
    unsigned client, server, datagram;     /* states where reading begins, or STATE_NONE */
    unsigned client_search, server_search; /* and where it goes on after an error */
    VEC(unsigned) feeds, feed_searches;    /* the same for each sub-stream */
    VEC(clash_t) clashes;    /* the first of each kind, in the order in which they were found */
    VEC(clash_t) ends;       /* where the input may end for a reading at the control point `at`, and ends for a later one */
} dfa_t;

/* Is it taken because of the next byte? */
static inline bool dfa_is_on_byte(const edge_t *edge)
{
    return edge->limit == 0 && !edge->is_end && !edge->is_return;
}

#define DFA_STATES_MAX 30000u

/* Where the automaton has its starts: each may be STATE_NONE. */
typedef VEC(unsigned *) starts_t;
starts_t dfa_starts(dfa_t *dfa);

/* NULL if there is no automaton of at most `states_max` states: `diag` says why, unless there are refusals, which refusal.c
 * explains. */
dfa_t *dfa_build(nfa_t *nfa, unsigned states_max, diag_t *diag);

/* Does the state only choose where to go on, by what the direction itself knows? Then a machine can do it. */
bool dfa_is_inside(const dfa_t *dfa, const dfa_state_t *state);

/* A shortest input that leads to the state, quoted. */
void dfa_witness(const dfa_t *dfa, unsigned state, text_t *text);

void dfa_print(const dfa_t *dfa, text_t *text);

#endif
