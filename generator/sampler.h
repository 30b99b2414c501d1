/* sampler.h: what the files of sample.c share. */
#ifndef QCAPGEN_SAMPLER_H
#define QCAPGEN_SAMPLER_H

#include "ending.h"
#include "lengths.h"
#include "number.h"
#include "sample.h"

/* A place where the grammar leaves a choice, and the ways there. */
typedef struct fork {
    const void *of; /* node or note */
    size_t count;
    unsigned *used;   /* by way: how often */
    unsigned *trying; /* by way: in this attempt */
    bool is_wanting;  /* something at it, or behind it, has not been used ... */
    unsigned asked;   /* ... when this round asked */
} fork_t;

typedef struct queue_state {
    VEC(number_t) values;
    VEC(number_t) keys;
} queue_state_t;

/* All that a conversation has come to, apart from its text. */
typedef struct state {
    number_t *registers[2];
    number_t *shared;
    queue_state_t *queues;
    bool is_over[2];
} state_t;

/* What the reader of a sub-stream would like to be fed. */
typedef struct fed {
    VEC(unsigned char) bytes;
    size_t used;
} fed_t;

/* Where a register's number was written, and by what rule; `note` is NULL: nowhere. */
typedef struct told {
    size_t begin, len;
    const note_t *note;
    const node_t *body;
} told_t;

struct sample {
    arena_t *arena;   /* of the sample */
    arena_t *scratch; /* of one conversation */
    const grammar_t *grammar;
    lengths_t *lengths;
    const bool *nesting; /* by rule: see fit_is_needed() */
    uint64_t random;
    state_t state;
    fed_t *fed;  /* by rule that reads a sub-stream */
    told_t *told; /* by register of the direction */
    size_t written; /* bytes, in this attempt */
    text_t text; /* of the message */
    bool is_server;
    bool has_failed;     /* the attempt is given up */
    unsigned depth;      /* rules inside each other */
    unsigned small;      /* inside a conversion of bytes to a number */
    unsigned round;      /* of asking what is wanting */
    VEC(fork_t *) forks; /* hash table by `of`; open addressing */
    size_t fork_count;
};

/* The fork at a node or note, which has `count` ways. */
fork_t *fork_get(sample_t *s, const void *of, size_t count);

/* The numbers of times that are tried for a repeat. */
unsigned fork_repeat_ways(const node_t *node);

/* One of them. */
unsigned fork_repeat_times(sample_t *s, const node_t *node, unsigned way);

/* Is there anything in the rule that has not been used? */
bool fork_is_rule_wanting(sample_t *s, const rule_t *rule);

/* Is there anything at the node, or below it, that has not been used? */
bool fork_is_wanting(sample_t *s, const node_t *node);

/* One of the ways that are `open`: at random, but what has not been used goes first. */
size_t fork_choose(sample_t *s, fork_t *fork, const bool *open, const bool *wanting);

/* Extent, not choice, has made it so many times. */
void fork_note_times(sample_t *s, const node_t *node, unsigned times);

/* The attempt is over. */
void fork_count_ways(sample_t *s, bool is_used);

/* A number that looks random. */
uint64_t sample_chance(sample_t *s);

/* One below `count`; 0 if that is 0. */
unsigned sample_below(sample_t *s, size_t count);

/* One round of the root's repeat, so that what it was made of is known; else the root. */
const node_t *sample_round(const node_t *root);

/* Does the node read the text? Not known, so false, of more than WORD_MAX bytes. */
#define WORD_MAX 63u
bool word_is_read(const node_t *node, const char *text, size_t len);

#define ANY_EXTENT (-1L)
#define SMALL 40u /* a number that may be a length should be below this */

void sample_write_byte(sample_t *s, unsigned byte);
void sample_write_rule(sample_t *s, const rule_t *rule);
number_t *sample_register(sample_t *s, const reg_t *reg);
state_t sample_copy_state(sample_t *s, const state_t *from);
void sample_write_body(sample_t *s, const notes_t *notes, const node_t *body, const refine_entry_t *entry);
number_t *sample_copy_numbers(arena_t *arena, const number_t *numbers, size_t count); /* NULL: none is set */

/* Does the body read any bytes at all? And such bytes, for the rule that they are fed to, cut where it happens to be. */
bool feed_is_any_bytes(const node_t *body);
void feed_write(sample_t *s, const rule_t *rule, long extent);

/* sample_fit.c: which rules have in them what is so long as annotations say. */
bool *fit_find_nesting(arena_t *arena, const grammar_t *grammar);

/* Has the body something in it whose length annotations tell? Then lengths.c does not know how long it can be. */
bool fit_is_needed(const sample_t *s, const node_t *body);

/* Notes that a number has been written, from `begin` to here. */
void fit_tell(sample_t *s, const note_t *note, const node_t *body, size_t begin);

/* The body of a region, and such a number in front of it that it is as long as `length` says. */
void fit_write(sample_t *s, const note_t *length, const notes_t *notes, const node_t *body, const refine_entry_t *entry);

/* What ends at a line's beginning needs one. */
void fit_end_line(sample_t *s, size_t begin);

/* The text that ends the rule that began at `begin`: it must stand nowhere before its end. */
void fit_write_ending(sample_t *s, const ending_t *ending, size_t begin, bool is_line);

/* The first note of that kind, or NULL. */
const note_t *sample_note(const notes_t *notes, note_kind_t kind);

#endif
