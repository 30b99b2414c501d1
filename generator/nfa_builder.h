/* nfa_builder.h: what the files of nfa.c share. All builders get the state that follows and return the state that begins. */
#ifndef QCAPGEN_NFA_BUILDER_H
#define QCAPGEN_NFA_BUILDER_H

#include "nfa.h"

/* An occurrence of a rule that parsing can resume at. */
typedef struct resume {
    const rule_t *rule;
    const context_t *context; /* around it */
    unsigned next;
} resume_t;

typedef struct builder {
    nfa_t *nfa;
    arena_t *arena;
    diag_t *diag;
    size_t built;          /* procedures that have a body; others are built in turn */
    VEC(resume_t) resumes; /* of the root being built */
    const repeats_t *unrolled; /* repeats that are not to be counted; NULL: none is */
    const context_t *resuming; /* a copy to search for is being built: what to open first; see note [search] */
    unsigned *sizes;       /* of rules by index: see size_of() */
    bool is_datagram;          /* the root being built reads datagrams */
    bool is_fed;               /* or a sub-stream */
    const node_t *root;        /* that one */
    bool is_too_large;
} builder_t;

/* Everything that `notes` put around a body; `body` is what it is put around. */
typedef struct wrapped {
    const notes_t *notes;
    const char *name; /* under which a bare `emit` reports it */
    const node_t *body;
    const rule_t *rule;          /* the rule whose body it is; NULL for an alternative */
    const refine_entry_t *entry; /* how a refined VALUE is read; NULL: by its own body */
    const node_t *reference;     /* the node that refers to the rule */
    bool is_there;               /* `at` has been seen to */
} wrapped_t;

/* ---------------------------------------------------------------- nfa.c */

/* Each adds a state, and returns its number; 0 if there are too many, which has been complained about. */
unsigned nfa_add(builder_t *b, nfa_kind_t kind, const context_t *context, const node_t *node, unsigned next);
unsigned nfa_add_op(builder_t *b, const context_t *context, op_t op, unsigned next);
unsigned nfa_add_scope(builder_t *b, nfa_kind_t kind, const context_t *context, unsigned scope, unsigned next);
unsigned nfa_add_control(builder_t *b, const context_t *context, control_t control);

/* A context inside `parent`; with nfa_guard(), of a reading that has a fallback. */
context_t *nfa_nested(builder_t *b, const context_t *parent);
context_t *nfa_guard(builder_t *b, const context_t *parent);

/* ---------------------------------------------------------------- nfa_intern.c */

/* The number of an element, conversion or sub-stream; a new one if there is none yet. */
unsigned nfa_element(builder_t *b, unsigned parent, const char *name);
unsigned nfa_conversion(builder_t *b, const note_t *note, const rule_t *rule);

/* How much of a text must be kept while it is read. */
unsigned nfa_text_size(const conversion_t *conversion);

/* NULL if there is none. */
const note_t *nfa_find_note(const notes_t *notes, note_kind_t kind);

/* The name under which a rule is emitted, or NULL. */
const char *nfa_emitted_name(const rule_t *rule);

/* All sub-streams, before anything is built: what ends with a message depends on what is in it. Then the number of the one that a
 * `feed` among these notes means; whether a `feed` or `finish` means it, as far as its name says; and whether reading the node can
 * feed it (NOTE_FEED), or finish it (NOTE_FINISH). */
void nfa_find_feeds(builder_t *b);
unsigned nfa_find_feed(const nfa_t *nfa, const note_t *note, const notes_t *notes);
bool nfa_is_fed_by(const feed_t *feed, const note_t *note);
bool nfa_is_within(const builder_t *b, const node_t *node, note_kind_t kind, const feed_t *feed);

/* It reads what the other side sets. */
bool nfa_is_shared(const expr_t *expr);

/* ---------------------------------------------------------------- nfa_body.c */

unsigned nfa_build_node(builder_t *b, const node_t *node, const context_t *context, unsigned next);

/* A repeat whose rounds are counted; `count` is NULL if its own bounds say how often. See note [repeat]. */
unsigned nfa_build_counted(builder_t *b, const node_t *node, const note_t *count, const context_t *around, unsigned next);

/* A sequence from its item `first` on; the refined VALUE among them is read as `entry` says. */
unsigned nfa_build_items(builder_t *b, const node_t *node, size_t first, const note_t *refinement,
                         const refine_entry_t *entry, const context_t *context, unsigned next);

/* What is open where this context is, or around a call there, counts: see nest_t. */
void nfa_note_nest(builder_t *b, const context_t *context);
void nfa_note_call(builder_t *b, const context_t *context);

/* ---------------------------------------------------------------- nfa_wrap.c */

/* A body with all that is said of it. */
unsigned nfa_build_wrapped(builder_t *b, const wrapped_t *w, const context_t *outer, unsigned next);
unsigned nfa_build_alternative(builder_t *b, const node_t *node, const context_t *outer, unsigned next);

/* ---------------------------------------------------------------- nfa_call.c */

/* A reference to a rule: written out, or a call; NULL for `at`: what is searched for. */
unsigned nfa_build_rule(builder_t *b, const rule_t *rule, const node_t *at, const context_t *context, unsigned next);

/* The rules that are called and have not been built yet. */
void nfa_build_procedures(builder_t *b);

#endif
