/* layout.h: the automaton as it will stand in C: machines, numbered texts, byte classes. */
#ifndef QCAPGEN_LAYOUT_H
#define QCAPGEN_LAYOUT_H

#include "dfa.h"

/* What conversions that are never under way together share. */
typedef struct conversion_slot {
    unsigned accumulator, accumulator_count; /* the first, and how many */
    unsigned text, text_size;                /* where their texts begin in the side's text area; of each, at most */
} conversion_slot_t;

typedef struct layout {
    arena_t *arena;
    const dfa_t *dfa;
    const grammar_t *grammar;
    const char *prefix;            /* "qcap_NAME" */
    const char *upper;             /* "QCAP_NAME" */
    const char **labels;           /* by state */
    const char **enumerators;      /* by state */
    const char **elements;         /* by element: its constant, QCAP_HTTP_REQUEST_METHOD */
    unsigned *machine_of;          /* by state; STATE_NONE for a control point of the driver */
    bool *stands;                  /* by state: it has direct code of its own; set by emit_choose() */
    VEC(const char *) machines;    /* names of the functions */
    VEC(const char *) texts;       /* rules, expectations, anomalies; the first is "" */
    VEC(const expr_t *) values;    /* expressions that are numbers */
    VEC(const note_t *) expects;   /* conversations that are expected */
    unsigned *rule_text;           /* by state: index in texts */
    unsigned *expected_text;       /* by state */
    unsigned position_count;       /* variables for positions */
    bool has_spare;                /* moves need one more: the last */
    const char **words;            /* by conversion: of keywords, what their list is called; the same lists have one name */
    unsigned *conversion_slots;    /* by conversion: those that are never under way together share one */
    VEC(conversion_slot_t) slots;
    unsigned accumulator_count;    /* of all conversions, for each side */
    unsigned text_size;            /* bytes of texts, for each side */
    unsigned word_count;           /* registers that are words */
    VEC(unsigned) register_texts;  /* by register: where its text begins among them */
    unsigned joined_text;          /* where the value of a joined element is among them */
    unsigned later_text;           /* where the texts on the list of an atomic rule begin among them */
    unsigned shared_text_size;     /* bytes of texts that both sides share */
    VEC(unsigned) shared_texts;    /* by shared register: where its text begins among them */
} layout_t;

/* What a side has room for: calls, of these and repeats, elements and regions that are open, saved registers. */
unsigned layout_calls(const nfa_t *nfa);
unsigned layout_frames(const nfa_t *nfa);
unsigned layout_slots(const nfa_t *nfa);
unsigned layout_regions(const nfa_t *nfa);
unsigned layout_untils(const nfa_t *nfa); /* regions whose end is looked for ... */
unsigned layout_ends(const nfa_t *nfa);   /* ... and bytes that each needs for what ends it */
unsigned layout_ahead(const nfa_t *nfa);  /* bytes that may have to be read later, or again */
unsigned layout_saved(const nfa_t *nfa); /* in 64-bit words */

layout_t *layout_build(const dfa_t *dfa, unsigned position_count);

/* Is it a control point that the driver passes, outside of any machine? */
bool layout_is_outside(const layout_t *layout, unsigned state);

/* How many entries of a queue an entry takes, with its key. */
unsigned layout_queue_stride(const queue_t *queue);
unsigned layout_queue_firsts(const grammar_t *grammar); /* one of each queue */

/* The index of a text that is there: of a rule that converts or stands at a control point, or an anomaly. */
unsigned layout_text(const layout_t *layout, const char *text);

/* The index of what is expected. */
unsigned layout_expect(const layout_t *layout, const note_t *expect);

/* The first control point that chooses by the same conditions: its function does for all. */
unsigned layout_choice(const layout_t *layout, unsigned control);

/* The index of an expression of an operation or control point. */
unsigned layout_value(const layout_t *layout, const expr_t *expr);

#endif
