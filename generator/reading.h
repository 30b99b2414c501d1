/* reading.h: all readings of the input so far that can still go on, in order of preference. */
#ifndef QCAPGEN_READING_H
#define QCAPGEN_READING_H

#include "walk.h"

/* An effect that a reading has had, at a stream offset, and that is not certain yet. */
typedef struct deed {
    const effect_t *effect;
    uint64_t at;
    const frame_t *frame; /* where in the grammar */
} deed_t;

typedef VEC(deed_t) deeds_t;

/* A reading was at this place when it entered the frame. */
typedef struct entered {
    const frame_t *frame;
    const spot_t *spot; /* where it will be left: two rounds of a repeat are two */
    uint64_t at;
} entered_t;

/* What a reading has been through, the last of it first: a rule or annotated alternative that began or ended. */
typedef struct trail {
    const struct trail *before;
    const frame_t *frame;
    uint64_t at;
    bool is_end;
} trail_t;

#define LEVEL_MAIN 0xffffu

typedef struct reading {
    spot_t *spot;           /* SPOT_BYTE, SPOT_TEXT, SPOT_STOP or SPOT_END */
    unsigned level;         /* LEVEL_MAIN, or that of what it is the fallback of */
    const spot_t *fallback; /* the SPOT_FALLBACK that it came from; NULL: a main reading */
    size_t forked;          /* a fallback: how many of the deeds it had there, with its betters; 0: a main reading */
    deeds_t deeds;
    VEC(entered_t) entered; /* frames that a cut may close; outermost first */
    const trail_t *trail;   /* if the walk is traced; lives as long as the walk */
} reading_t;

/* Main readings first, then fallbacks, the innermost first. */
typedef VEC(reading_t) readings_t;

/* All memory of the results comes from `arena`. `number` tells this call from all others on the same walk. */

/* The readings that begin at `spot`, at offset `at`, behind `trail`. */
readings_t reading_start(walk_t *walk, arena_t *arena, unsigned number, spot_t *spot, uint64_t at,
                         const trail_t *trail);

/* The readings of `from`, which stand at STOP_CALLs, behind these. */
readings_t reading_rejoin(walk_t *walk, arena_t *arena, unsigned number, const readings_t *from, uint64_t at);

/* The readings of `from` that go on with `byte`; `at` is behind it. */
readings_t reading_step(walk_t *walk, arena_t *arena, unsigned number, const readings_t *from, unsigned byte,
                        uint64_t at);

/* Takes from the readings what is certain now, and adds it to `done`. If only fallbacks are left, the innermost become
 * main readings; `failed_at` is the offset at which that is reported. */
void reading_settle(walk_t *walk, arena_t *arena, readings_t *readings, uint64_t failed_at, deeds_t *done);

/* How many are main readings. */
size_t reading_main_count(const readings_t *readings);

/* The first that can end here, or NULL; with what has to be done if it does. */
const reading_t *reading_end(walk_t *walk, arena_t *arena, const readings_t *readings, uint64_t at, deeds_t *done);

/* A copy in another arena. */
readings_t reading_copy(arena_t *arena, const readings_t *readings);

#endif
