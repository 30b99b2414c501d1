/* interpreter.h: what the interpret*.c files share. */
#ifndef QCAPGEN_INTERPRETER_H
#define QCAPGEN_INTERPRETER_H

#include "ending.h"
#include "interpret.h"
#include "number.h"
#include "reading.h"

#define REGION_OPEN UINT64_MAX /* a region that lasts to the end of the stream */
#define MARKS_MAX 8u
#define JOINED_MAX 512u         /* bytes of a joined value */
#define JUMPED_MAX (1u << 20)   /* bytes of one datagram that are read elsewhere */
#define FOUND_AGAIN_MAX 32u     /* bytes of what was no beginning in which another is looked for */

/* An element or anomaly that is open. */
typedef struct slot {
    const place_name_t *element; /* NULL: an anomaly, or a feed */
    const feed_kind_t *feed;     /* or NULL */
    uint64_t begin;
    bool is_done; /* reported, cut at the limit */
} slot_t;

typedef struct region {
    uint64_t end; /* offset, or REGION_OPEN */
    uint64_t begin;
    bool is_open;  /* it ends with what is around it, or where its text is found */
    bool is_cut;   /* one around it has ended before it did */
    bool is_jump;  /* it lies elsewhere: ends where its rule does, or with the datagram ... */
    uint64_t back; /* ... and reading goes on here */
    spot_t *until; /* looks for a text: the STOP_UNTIL; NULL: does not, or has found it */
    bool is_found;
    ending_t ending; /* that text */
    uint64_t looked; /* it does not begin before this offset */
    spot_t *after;   /* where to go on behind it */
    size_t depth;    /* slots in use when it began, ... */
    size_t saved;    /* ... saved registers, ... */
    size_t joints;   /* ... calls of several readings, ... */
    size_t begun;    /* ... and conversions */
} region_t;

/* A conversion that has begun. */
typedef struct begun {
    const note_t *note;
    unsigned level; /* fallbacks around it */
    uint64_t begin;
    bool is_lost; /* some of its bytes are missing */
} begun_t;

/* On the list of an atomic rule. */
typedef struct later {
    deed_t deed;
    number_t value; /* of a conversion, made when its last byte was certain */
} later_t;

/* A register that `local` has put aside. */
typedef struct saved {
    const reg_t *reg;
    number_t value;
    unsigned level; /* fallbacks around the rule */
} saved_t;

/* The value of the open element that is joined from parts. */
typedef struct joined {
    size_t depth; /* 1 + its slot; 0: there is none */
    VEC(unsigned char) text;
    bool has_part; /* if only an empty one */
    bool is_cut;   /* more would belong to it */
} joined_t;

/* Of a queue. */
typedef struct entry {
    number_t value;
    number_t key;   /* what it is found by; not set: nothing finds it */
    uint64_t other; /* how far the other side had been read when this was pushed */
    size_t missing; /* entries that there was no room for, in front of this one */
} entry_t;

typedef struct entries {
    VEC(entry_t) list;
    size_t missing; /* likewise, behind the last one */
} entries_t;

/* Readings that call together, and wait for the return. */
typedef VEC(readings_t) joints_t;

/* What is known of a byte that has been taken. */
typedef enum { BYTE_READ, BYTE_MISSING, BYTE_SKIPPED } byte_state_t;

typedef struct sub sub_t;

typedef struct side {
    interpret_t *owner;
    sub_t *sub;       /* that this one reads; NULL: it is a side of the conversation */
    sub_t *subs;      /* by index of their kind */
    uint64_t streamed; /* what the open rule that feeds has been fed with */
    VEC(unsigned char) states; /* byte_state_t, by byte: after the first that is not READ */
    bool is_server;
    spot_t *start, *search, *datagram; /* NULL: there is none */
    readings_t readings;
    const trail_t *trail; /* up to where all readings went together, or the one that has ended */
    bool has_ended;       /* the region, or the whole */
    bool is_entry;        /* `certain` is still to be done, before the next byte */
    deeds_t certain;
    VEC(unsigned char) bytes; /* all that were taken; a hole is zeroes */
    uint64_t offset;          /* behind the last byte read; those behind it wait for others that tell what ends */
    uint64_t read_count;      /* bytes that were read, or skipped: some of a datagram more than once */
    uint64_t datagram_begin;  /* if is_datagram */
    uint64_t jumped;          /* bytes of it that were read elsewhere */
    bool is_datagram;         /* one is being read: there are no others, and nothing to wait for */
    size_t skip_len;          /* of the text that has ended a region */
    bool is_last;             /* no more bytes follow those at hand */
    number_t *registers;
    VEC(slot_t) slots;
    VEC(region_t) regions;
    VEC(begun_t) begun;
    VEC(saved_t) saved;
    VEC(later_t) list;
    size_t marks[MARKS_MAX];
    joints_t joints;
    joined_t joined;
    uint64_t refined; /* which of a refinement's names its NAME is, 0 for none */
    uint64_t skip_begin, candidate, popped;
    bool is_searching, is_skipping, is_waiting, is_hurried, is_absent, is_finished, has_become, has_failed, is_lossy;
    bool has_error;
    interpret_event_t error; /* if has_error */
} side_t;

/* From `begin` on, the bytes of a sub-stream are the parent's from `outer` on. */
typedef struct segment {
    uint64_t begin, outer;
} segment_t;

/* From `begin` of what a decoder is given on, it has this key. */
typedef struct decoder_key {
    size_t begin;
    VEC(unsigned char) bytes;
} decoder_key_t;

typedef struct decoder {
    const char *name;
    const reg_t *reg;         /* with its key, or NULL */
    VEC(decoder_key_t) keys;  /* at least one; one for each feed if there is a register */
    interpret_coded_t given;  /* so far */
} decoder_t;

/* The streams that the decoder at some place has had. */
typedef struct decoder_past {
    const char *name;
    VEC(interpret_coded_t) streams;
} decoder_past_t;

/* A sub-stream of a side. */
struct sub {
    const feed_kind_t *kind;
    side_t *parent;
    side_t *reader; /* `own`, or another interpreter's; NULL: there is none */
    side_t *own;    /* made once; NULL: not yet */
    spot_t *start;  /* where a datagram begins */
    bool is_open;
    bool is_datagram;             /* gathered, and read when it is complete */
    bool is_broken;               /* what comes is passed over */
    bool is_cut;                  /* what is encoded goes on, if that were all */
    VEC(segment_t) segments;      /* one for each feed */
    VEC(unsigned char) datagram;  /* gathered so far */
    VEC(decoder_t) decoders;      /* in order */
    VEC(decoder_past_t) pasts;    /* by their places; kept when another sub-stream opens here */
    VEC(unsigned char) encoded;   /* all that was fed to them, ... */
    size_t decoded;               /* ... and how many bytes that came to */
};

struct interpret {
    const grammar_t *grammar;
    walk_t *walk;
    arena_t *arena;    /* of one conversation */
    arena_t *readings; /* of the readings; changed now and then */
    unsigned steps;    /* numbers given to reading.c */
    unsigned age;      /* steps since `readings` was changed */
    interpret_handler_t on_event;
    interpret_find_t find;
    interpret_decode_t decode;
    void *user;
    unsigned nested;            /* sides that are feeding others: memory of readings stays where it is */
    VEC(side_t *) readers;      /* of sub-streams, in this interpreter */
    VEC(interpret_t *) others;  /* other protocols' */
    uint32_t limit;
    const node_t *root; /* of the client, if it is not the grammar's; else NULL */
    side_t sides[2];    /* client, server */
    number_t *shared;
    entries_t *queues;
    const char *becomes;
    const char *complaint; /* NULL: not broken */
};

/* What is certain takes effect, in order. An effect can fail: side->has_error; those behind it do nothing then. */
void effect_perform(side_t *side, const deeds_t *deeds);

/* Notes an error that the driver will report; the first one counts. */
void effect_fail(side_t *side, interpret_code_t code, const char *rule, uint64_t at);

void effect_send(side_t *side, interpret_event_t event);

/* Forgets what is open beyond `depth` slots; stream elements end at `at`. */
void effect_abandon(side_t *side, size_t depth, uint64_t at);

/* Gives registers that were put aside, beyond the first `count`, their values back. */
void effect_restore(side_t *side, size_t count);

/* The search is over, at `at`. */
void effect_found(side_t *side, uint64_t at);

/* False: the side has to wait. */
bool effect_pop(side_t *side, const note_t *note);

/* The text of an `until`; false: a register has none. */
bool effect_find_ending(side_t *side, const note_t *until, ending_t *ending);

number_t effect_evaluate(side_t *side, const expr_t *expr);
number_t effect_value(const side_t *side, const reg_t *reg);

/* ---------------------------------------------------------------- interpret_feed.c */

/* A rule that feeds begins; and the sub-stream gets what has been read of it, or a hole. */
void feed_open(side_t *side, const feed_kind_t *kind, uint64_t at);
void feed_up_to(side_t *side, uint64_t end);
void feed_gap(side_t *side, uint64_t begin, uint64_t end);

/* The sub-stream gets what has been read and belongs to it, whatever follows. */
void feed_certain(side_t *side);

/* Ends a sub-stream, or all that this side feeds: in order, or because nobody knows how it goes on. */
void feed_finish(side_t *side, const feed_kind_t *kind);
void feed_end_all(side_t *side, bool is_in_order);

/* What comes for it is passed over, up to its end: the rule that feeds has failed. */
void feed_break(side_t *side, const feed_kind_t *kind);

/* Where in the parent the byte at `offset` was. */
uint64_t feed_outer(const sub_t *sub, uint64_t offset);
bool feed_is_in_excerpt(const sub_t *sub); /* it may end anywhere: it is an excerpt, or lies in one */

/* ---------------------------------------------------------------- the driver, and regions */

/* A side that is all anew; `root` may be NULL: it says nothing. */
void drive_init(interpret_t *it, side_t *side, const node_t *root, bool is_server);

/* interpret_feed() and its neighbours, of any side. */
size_t drive_feed(side_t *side, const unsigned char *bytes, size_t len);
void drive_gap(side_t *side, uint64_t len);
void drive_finish(side_t *side);

/* The rule that is being read. */
const char *drive_rule(const side_t *side);

/* Does what is certain where the side has begun, and goes on where a NAME has decided how VALUE is read. */
void drive_pass_entry(side_t *side);
void drive_pass_refinements(side_t *side);

/* The innermost region, or NULL. */
region_t *drive_region(side_t *side);

/* Goes on at a spot: what is certain there is done when the side's turn comes. */
void drive_begin_at(side_t *side, spot_t *spot);

/* Notes an error at the place where the side is. */
void drive_fail_here(side_t *side, interpret_code_t code, int byte);

/* Reports the error. What was opened inside the region, or at all if that is NULL, is abandoned. */
void drive_report(side_t *side, const region_t *region);

/* Can the input, or the region, end here? What is pending is done then if `is_end`. */
bool drive_can_end(side_t *side, bool is_end);

/* All readings go on behind the call that they have made together. */
void drive_rejoin(side_t *side);

/* For reading.c. */
unsigned drive_next_number(interpret_t *it);

/* Reports the error and goes on behind it; a search, behind the byte that did not fit, if that is at hand. */
void drive_recover(side_t *side, bool has_byte);

/* Looks for a place to go on: nothing has been read since `from`; and from where it stands on, having looked in vain. */
void drive_search(side_t *side, uint64_t from);
void drive_search_from_here(side_t *side);

/* What can be done with the next byte, if `reads`, and then without any. */
void drive_run(side_t *side, bool reads);

/* Nothing follows that would belong to what ends a region. What still waits is given up. */
void drive_read_last(side_t *side);

/* So it is with these bytes. */
void drive_mark(side_t *side, uint64_t begin, uint64_t end, byte_state_t state);

/* Of what is being converted not all will have been read. */
void drive_lose_conversions(side_t *side);

/* These have been taken; NULL: they are missing. */
void drive_add_bytes(side_t *side, const unsigned char *bytes, size_t len);

/* Passes a stop. False: it has to wait, for a byte or for the other side. */
bool stop_pass(side_t *side, const spot_t *stop, bool has_byte);

/* The side speaks another protocol from here on. */
void stop_become(side_t *side);

/* Delivers elements that have reached the limit; limit_enforce() also gives up what has been undecided for so long. */
void limit_tell(side_t *side);
void limit_enforce(side_t *side);
/* What goes on without a byte may end an element of just as many bytes as it may have; but more came at once where some were
 * missing, or passed over. */
bool limit_is_past(side_t *side);

/* Reads the bytes at hand as far as that goes. True if the next one waits for others that tell what it is. */
bool drive_read(side_t *side);

/* Reads a datagram from `start` on. */
void drive_datagram(side_t *side, spot_t *start, const unsigned char *bytes, size_t len);

/* No byte follows: what is open ends, or is unfinished, which is an error that is yet to be reported. */
void drive_end(side_t *side);

/* `at`: errors of its own are reported. */
void region_begin_elsewhere(side_t *side, const spot_t *stop);

/* `length`. */
void region_begin_length(side_t *side, const spot_t *stop);

/* `until`: the region ends with what is around it, or before. */
void region_begin_open(side_t *side, const spot_t *stop);

/* Goes on behind the region. */
void region_leave(side_t *side);

/* The region's last byte has been read: its rule must be able to end there. */
void region_end(side_t *side);

/* What follows an error in a region has been passed over, up to here. */
void region_end_skipping(side_t *side);

/* Looks for the ends of regions. False: whether one ends here is not known yet. */
bool region_look(side_t *side);

/* Does a region look for the text that ends it? */
bool region_is_looking(const side_t *side);

#endif
