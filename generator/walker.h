/* walker.h: what the files of walk.c share. */
#ifndef QCAPGEN_WALKER_H
#define QCAPGEN_WALKER_H

#include "walk.h"

typedef VEC(const effect_t *) effects_t;

/* All zeroes, padding too. */
#define BLANK(type, name)                                                                                              \
    type name;                                                                                                         \
    memset(&name, 0, sizeof name)

/* ---------------------------------------------------------------- walk_intern.c */

spot_t *walk_blank_spot(spot_t *spot, spot_kind_t kind, const frame_t *frame, spot_t *next);
spot_t *walk_intern_spot(walk_t *w, const spot_t *spot);
const frame_t *walk_intern_frame(walk_t *w, const frame_t *frame);
const place_name_t *walk_element(walk_t *w, const place_name_t *parent, const note_t *emit, const char *name);

/* Effects of a frame, interned. */
const effect_t *walk_plain_effect(walk_t *w, effect_kind_t kind, const frame_t *frame);
const effect_t *walk_noted_effect(walk_t *w, effect_kind_t kind, const frame_t *frame, const note_t *note,
                                  const rule_t *rule);
const effect_t *walk_push_effect(walk_t *w, const frame_t *frame, const note_t *note);
const effect_t *walk_element_effect(walk_t *w, effect_kind_t kind, const frame_t *frame);
const effect_t *walk_anomaly_effect(walk_t *w, effect_kind_t kind, const frame_t *frame, unsigned depth,
                                    const char *name);
const effect_t *walk_feed_effect(walk_t *w, effect_kind_t kind, const frame_t *frame, unsigned depth,
                                 const feed_kind_t *feed);
const effect_t *walk_register_effect(walk_t *w, effect_kind_t kind, const frame_t *frame, const reg_t *reg);

/* What opening a frame does, in order; as part of an atomic rule if `is_atomic`. */
effects_t walk_opening(walk_t *w, const frame_t *frame, bool is_atomic);

/* ---------------------------------------------------------------- walk.c */

/* The spots of a node; `next` where there is nothing to do. */
spot_t *walk_make_node(walk_t *w, const node_t *node, const frame_t *frame, spot_t *next);

spot_t *walk_numbered(walk_t *w, spot_kind_t kind, const node_t *node, unsigned n, const frame_t *frame, spot_t *next);
spot_t *walk_make_effect(walk_t *w, const frame_t *frame, const effect_t *effect, spot_t *next);
spot_t *walk_make_stop(walk_t *w, stop_kind_t stop, const frame_t *frame, const note_t *note, const node_t *node,
                       spot_t *next, spot_t *other);

/* SPOT_LEAVE or SPOT_CUT, and SPOT_ENTER: if there are cuts at all. `leave` is where the frame is left: it tells one
 * round of a repeat from the next. */
spot_t *walk_make_scope(walk_t *w, spot_kind_t kind, const frame_t *frame, spot_t *next);
spot_t *walk_make_enter(walk_t *w, const frame_t *frame, spot_t *leave, spot_t *next);

/* If the walk is traced. */
spot_t *walk_make_trace(walk_t *w, const frame_t *frame, unsigned n, spot_t *next);

/* ---------------------------------------------------------------- walk_wrap.c */

/* What is annotated: a rule, an alternative, or the VALUE of a refinement. */
typedef struct wrapped {
    const notes_t *notes;
    const char *name; /* of a bare `emit` */
    const node_t *body;
    const rule_t *rule;          /* NULL: an alternative */
    const void *reference;       /* what refers to it */
    const refine_entry_t *entry; /* the VALUE is read by this; NULL: by its body */
    const spot_t *returns;       /* the rule contains itself: its STOP_RETURN */
    const frame_t *resumed;      /* found by a search: these are around it, and have not been opened yet */
    bool is_there;               /* where its `at` says */
} wrapped_t;

/* Everything that its annotations put around the body. */
spot_t *walk_wrap(walk_t *w, const wrapped_t *x, const frame_t *outer, spot_t *next);

/* A reference to a rule; an alternative of a choice. */
spot_t *walk_make_rule(walk_t *w, const rule_t *rule, const void *reference, const frame_t *frame, spot_t *next);
spot_t *walk_make_alternative(walk_t *w, const node_t *node, const frame_t *frame, spot_t *next);

/* A rule that contains itself, entered. Where nothing is left to do in such a rule but to return, the call is a jump.
 */
spot_t *walk_enter_call(walk_t *w, const rule_t *rule, const void *reference, const frame_t *frame, spot_t *next);

/* A frame inside `outer`, of something; it can be changed, and interned again. And one of what has a fallback. */
const frame_t *walk_link_frame(walk_t *w, const frame_t *outer, const void *of, frame_t *frame);
const frame_t *walk_guard_frame(walk_t *w, const frame_t *outer, const void *of, bool is_choice);

/* ---------------------------------------------------------------- walk_feed.c */

/* All sub-streams, before anything else. */
void walk_find_feeds(walk_t *w);

/* The one that is fed by what has these notes; NULL: none is. */
const feed_kind_t *walk_feed(walk_t *w, const notes_t *notes);

/* Does it end behind what has these notes, and is that rule, inside `outer`? */
bool walk_finishes(walk_t *w, const feed_kind_t *kind, const notes_t *notes, const rule_t *rule, const frame_t *outer);

/* ---------------------------------------------------------------- walk_search.c */

/* Can a rule at which parsing resumes be found in the node? */
bool walk_is_resumable(walk_t *w, const node_t *node);

void walk_open_search(walk_t *w, spot_t *spot);

#endif
