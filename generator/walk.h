/* walk.h: places in a grammar, for interpret.c: where a reading stands, and all that is still to come.
 *
 * A spot is one thing to do and the spot that follows it, so it stands for the whole rest of the input: a list, back to
 * the root. Spots are made when a reading gets there, and interned: the same rest is the same pointer, so two readings
 * are at the same place in the grammar if their pointers are equal. Recursive rules need nothing more.
 *
 *     SPOT_BYTE      node             reads one byte of the node's set
 *     SPOT_TEXT      node, n          reads byte n of a string
 *     SPOT_NODE      node             a choice or a reference, to be opened
 *     SPOT_ITEMS     node, n          the items of a sequence from number n on
 *     SPOT_REPEAT    node, n          a repeat that has been through n times, as far as that matters
 *     SPOT_SEARCH    node             any rule that parsing can resume at: `node` is the root
 *     SPOT_EFFECT    effect           does something, once it is certain
 *     SPOT_ENTER     frame            a reading enters a rule or an alternation that a cut may close
 *     SPOT_LEAVE     frame            and leaves it
 *     SPOT_TRACE     frame, n         a rule or annotated alternative begins (0) or ends (1): if the walk is traced
 *     SPOT_CUT       frame            later readings that entered `frame` at the same place die
 *     SPOT_FALLBACK  other            `other` stands by for the case that what follows fails
 *     SPOT_STOP      stop, note, node, n something else than a byte decides: the driver goes on
 *     SPOT_END                        the input, or the region, may end                                        */
#ifndef QCAPGEN_WALK_H
#define QCAPGEN_WALK_H

#include "grammar.h"

typedef struct walk walk_t;
typedef struct spot spot_t;

/* An element: interned by parent and name. */
typedef struct place_name {
    const struct place_name *parent;
    const char *name;
    const char *separator; /* its value is joined from parts, with this between them; NULL: it is not */
    bool is_stream;
    const char *path; /* "http.request.method" */
} place_name_t;

/* A sub-stream: what is fed to it, and how. */
typedef struct feed_kind {
    const rule_t *rule;   /* that reads it; or */
    const char *protocol; /* which does */
    const node_t *root;   /* a reference to the rule */
    bool is_datagram, is_excerpt;
    notes_t decoders; /* in order */
    unsigned index;
} feed_kind_t;

/* What encloses a spot: interned, so that equal ones are one. */
typedef struct frame {
    const struct frame *parent;
    const node_t *root;          /* at the top */
    const rule_t *rule;          /* the innermost */
    const void *reference;       /* what refers to the rule: two references to it are two places */
    const void *of;              /* what this frame is of: notes, a choice, a fallback; NULL at the top */
    const place_name_t *element; /* the innermost emitted one, or NULL */
    const struct spot *after;    /* if rule->is_called: its SPOT_STOP that returns */
    unsigned depth;              /* emitted elements and anomalies around */
    unsigned level;              /* fallbacks around: this would have to fail so often */
    unsigned calls;              /* of rules that contain themselves, around */
    bool is_rule;                /* this frame is that of `rule` itself, ... */
    bool is_choice;              /* ... of an alternation, ... */
    bool is_guard;               /* ... of something that has a fallback */
    bool is_stream, is_atomic;   /* inside of one */
} frame_t;

/* What a reading does beside reading; each kind as at the top of interpret_effect.c. Interned. */
typedef enum {
    EFFECT_OPEN,
    EFFECT_CLOSE,
    EFFECT_ANOMALY_OPEN,
    EFFECT_ANOMALY_CLOSE,
    EFFECT_CONVERT_OPEN,
    EFFECT_CONVERT_CLOSE,
    EFFECT_SET,
    EFFECT_LOCAL_OPEN,
    EFFECT_LOCAL_CLOSE,
    EFFECT_RESET,
    EFFECT_PUSH,
    EFFECT_EXPECT,
    EFFECT_FEED_OPEN,
    EFFECT_FEED_CLOSE,
    EFFECT_FINISH,
    EFFECT_MISMATCH,
    EFFECT_MARK,
    EFFECT_ROLLBACK,
    EFFECT_FOUND,
    EFFECT_ATOMIC_BEGIN,
    EFFECT_ATOMIC_END
} effect_kind_t;

typedef struct effect {
    effect_kind_t kind;
    const place_name_t *element; /* OPEN, CLOSE */
    unsigned depth;              /* elements and anomalies around it */
    unsigned level;              /* of the frame; MARK, ROLLBACK: which mark */
    const rule_t *rule;          /* CONVERT_*, SET: whose annotation it is */
    const note_t *note;          /* the annotation that says how; a refinement's conversion: that */
    const reg_t *reg;            /* RESET, LOCAL_* */
    const feed_kind_t *feed;     /* FEED_OPEN, FEED_CLOSE, FINISH */
    const char *name;            /* ANOMALY_CLOSE, MISMATCH */
    bool is_atomic;              /* put off until the atomic rule ends */
} effect_t;

typedef enum {
    SPOT_BYTE,
    SPOT_TEXT,
    SPOT_NODE,
    SPOT_ITEMS,
    SPOT_REPEAT,
    SPOT_SEARCH,
    SPOT_EFFECT,
    SPOT_ENTER,
    SPOT_LEAVE,
    SPOT_TRACE,
    SPOT_CUT,
    SPOT_FALLBACK,
    SPOT_STOP,
    SPOT_END
} spot_kind_t;

/* What the driver does at a stop. A rule that contains itself is called, and returns; the rounds of a `count` begin,
 * and go on. */
typedef enum {
    STOP_CHOICE,
    STOP_REFINE,
    STOP_LENGTH,
    STOP_AT, /* a region that lies somewhere else in the datagram */
    STOP_CLOSE,
    STOP_UNTIL,
    STOP_SKIP, /* behind the text that has ended a region: passes over it */
    STOP_POP,
    STOP_BECOME,
    STOP_CALL,
    STOP_RETURN,
    STOP_REJOIN, /* behind the return of a call of several readings: where each of them goes on */
    STOP_COUNT,
    STOP_ROUND
} stop_kind_t;

typedef VEC(spot_t *) spots_t;

struct spot {
    spot_kind_t kind;
    stop_kind_t stop;
    const frame_t *frame;
    const node_t *node;
    const rule_t *rule;          /* STOP_CALL, STOP_RETURN, STOP_AT */
    const void *reference;       /* STOP_CALL */
    const note_t *note;          /* SPOT_STOP; SPOT_ITEMS: the refinement whose value is read by `entry` */
    const refine_entry_t *entry; /* SPOT_ITEMS; SPOT_FALLBACK: what may fail */
    const effect_t *effect;
    unsigned n;
    spot_t *next,
        *other; /* SPOT_STOP with a region: next is what is in it, other what follows it; SPOT_ENTER: see walk.c */

    unsigned seen; /* by the step of that number; for reading.c */
    bool is_open, has_first, can_end;
    spots_t branches; /* if is_open: see walk_open() */
    charset_t first;  /* if has_first: the bytes that can come next */
};

/* What can come next: bytes, and the end. */
typedef struct next {
    charset_t set;
    bool is_end;
} next_t;

/* Interned things of one size, of which the first `key` bytes tell them apart. */
typedef struct table {
    size_t key, size;
    void **slots;
    size_t count, capacity;
} table_t;

/* For walk.c and walk_next.c alone. */
struct walk {
    arena_t *arena;
    const grammar_t *grammar;
    table_t spots, frames, effects, names;
    bool has_cut;
    bool is_traced;
    next_t *returns;     /* by rule that contains itself: what can come where it returns; NULL: not known yet */
    unsigned *resumable; /* by rule: 0 not known yet, 1 no, 2 yes: parsing can resume in it */
    VEC(feed_kind_t *) feeds; /* all there are */
    VEC(const note_t *) pushes; /* that are different */
    unsigned *plain;     /* likewise: no annotation in it does anything */
};

/* `is_traced`: there are SPOT_TRACEs. */
walk_t *walk_new(const grammar_t *grammar, bool is_traced);
void walk_free(walk_t *walk);

/* The start of a root, and of the search for a place to go on in it (NULL: there is none). */
spot_t *walk_start(walk_t *walk, const node_t *root);
spot_t *walk_search(walk_t *walk, const node_t *root);

/* Where a spot that reads nothing leads to, in order; a fallback's `other` is not among them. */
const spots_t *walk_open(walk_t *walk, spot_t *spot);

/* Can all of these STOP_CALLs be one? They call the same rule, in which nothing takes effect. */
bool walk_is_joint(walk_t *walk, const spot_t *one, const spot_t *other);

/* The rule that they call, entered; a STOP_REJOIN is behind it. */
spot_t *walk_enter_joint(walk_t *walk, const spot_t *call);

/* What follows a SPOT_STOP: for a choice its alternative number `n`, for a refinement its entry, 0 being none of the
 * listed names; for a count, when there are to be `n` rounds; else the one way there is. */
spot_t *walk_target(walk_t *walk, const spot_t *stop, size_t n);

/* The bytes that a SPOT_BYTE or SPOT_TEXT reads. */
const charset_t *walk_set(spot_t *spot);

/* The bytes that can come next at a spot that a reading can stand at. */
charset_t walk_first(walk_t *walk, spot_t *spot);

/* The bytes that can come behind the text that a STOP_UNTIL looks for. */
const charset_t *walk_behind(walk_t *walk, spot_t *until);

/* The bytes that can come behind that text and `first`; all of them where a stop comes in front of it. */
charset_t walk_second(walk_t *walk, spot_t *until, unsigned first);

/* Can nothing at all come after a SPOT_STOP? */
bool walk_can_end(walk_t *walk, spot_t *stop);

/* An effect that no spot has: what tells of a fallback. */
const effect_t *walk_failed(walk_t *walk, const spot_t *fallback);

/* What is being read there, for people: the innermost rule that is no core rule; "" outside of all. */
const char *walk_rule_name(const frame_t *frame);

/* How many spots there are: what a walk costs. */
size_t walk_size(const walk_t *walk);

const note_t *walk_note(const notes_t *notes, note_kind_t kind);

/* A byte of a string: in both cases, if it is a letter and they count as one. */
charset_t walk_letter(unsigned byte, bool is_case_sensitive);

/* The `count` of a repeat of single bytes, which is a region of that length; NULL: it is none. */
const note_t *walk_count_of_bytes(const notes_t *notes, const node_t *body);

#endif
