/* sampler.h: what the files of sample.c share. */
#ifndef QCAPGEN_SAMPLER_H
#define QCAPGEN_SAMPLER_H

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

struct sample {
    arena_t *arena;   /* of the sample */
    arena_t *scratch; /* of one conversation */
    const grammar_t *grammar;
    lengths_t *lengths;
    uint64_t random;
    state_t state;
    fed_t *fed;  /* by rule that reads a sub-stream */
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

/* Does the node read the text? */
bool word_is_read(const node_t *node, const char *text);

#define ANY_EXTENT (-1L)
#define SMALL 40u /* a number that may be a length should be below this */

void sample_write_byte(sample_t *s, unsigned byte);
void sample_write_rule(sample_t *s, const rule_t *rule);
number_t *sample_copy_numbers(arena_t *arena, const number_t *numbers, size_t count); /* NULL: none is set */

/* Does the body read any bytes at all? And such bytes, for the rule that they are fed to, cut where it happens to be. */
bool feed_is_any_bytes(const node_t *body);
void feed_write(sample_t *s, const rule_t *rule, long extent);

/* The first note of that kind, or NULL. */
const note_t *sample_note(const notes_t *notes, note_kind_t kind);

#endif
