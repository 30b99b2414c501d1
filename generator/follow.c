/* follow.c: what can come next at a control point.
 *
 * What can follow one control point depends on those that come right behind it, and these may form loops: a rule that
 * contains itself returns to where it may return again. So at first nothing can follow; what each adds to another is
 * added until nothing changes. */
#include "follow.h"

#include "closure.h"

/* What stands right behind a control point. */
typedef struct behind {
    follow_t direct;      /* without other control points */
    VEC(unsigned) others; /* these */
} behind_t;

/* Adds what can be read at `state`. Where a region ends there, that is not the end of what is around it. */
static void look_at(nfa_t *nfa, arena_t *arena, unsigned state, bool is_region, behind_t *behind)
{
    arena_t *scratch = arena_new();
    const configs_t configs = closure_start(nfa, scratch, state, NULL);
    for (size_t i = 0; i < configs.count; i++) {
        const nfa_state_t *s = &nfa->states.items[configs.items[i].state];
        if (nfa_reads(s))
            behind->direct.set = charset_union(behind->direct.set, s->set);
        else if (s->kind == NFA_CONTROL)
            vec_push(arena, &behind->others, s->control);
        else if (s->kind == NFA_ACCEPT)
            behind->direct.is_end |= !is_region;
    }
    arena_free(scratch);
}

static behind_t look_behind(nfa_t *nfa, arena_t *arena, const control_t *control)
{
    behind_t behind = {.direct.set = charset_none()};
    bool is_region = control->kind == CONTROL_LENGTH || control->kind == CONTROL_CLOSE || control->kind == CONTROL_UNTIL;
    size_t first = control->kind == CONTROL_AT; /* what is read elsewhere says nothing of what follows here */
    bool is_call = control->kind == CONTROL_CALL; /* where it returns to is behind the return */
    for (size_t i = first; i < control->targets.count && !(is_call && i > 0); i++)
        look_at(nfa, arena, control->targets.items[i], is_region && i == 0, &behind);
    for (size_t i = 0; i < control->returns.count; i++)
        look_at(nfa, arena, control->returns.items[i], false, &behind);
    if (control->kind == CONTROL_CLOSE)
        behind.direct.set = charset_range(0, 255);
    if (control->kind == CONTROL_UNTIL) /* its text, at least, has to be read */
        behind = (behind_t){.direct.set = charset_range(0, 255)};
    bool is_byte_needed = control->kind == CONTROL_BECOME && charset_count(&control->next) < 256;
    if (control->kind == CONTROL_BECOME) /* another grammar goes on */
        behind = (behind_t){{control->next, behind.direct.is_end && !is_byte_needed}, behind.others};
    if (is_byte_needed)
        behind.others.count = 0;
    return behind;
}

static bool add(follow_t *to, const follow_t *from)
{
    charset_t set = charset_union(to->set, from->set);
    bool is_more = !charset_equal(&set, &to->set) || (from->is_end && !to->is_end);
    to->set = set;
    to->is_end |= from->is_end;
    return is_more;
}

follow_t *follow_find(nfa_t *nfa, arena_t *arena)
{
    size_t count = nfa->controls.count;
    follow_t *follows = ARENA_ARRAY(arena, follow_t, count + 1);
    behind_t *behind = ARENA_ARRAY(arena, behind_t, count + 1);
    bool is_changed = true;
    for (size_t i = 0; i < count; i++) {
        behind[i] = look_behind(nfa, arena, &nfa->controls.items[i]);
        follows[i] = behind[i].direct;
    }
    while (is_changed) {
        is_changed = false;
        for (size_t i = 0; i < count; i++)
            for (size_t k = 0; k < behind[i].others.count; k++)
                is_changed |= add(&follows[i], &follows[behind[i].others.items[k]]);
    }
    return follows;
}

/* ---------------------------------------------------------------- the byte behind the next one */

/* What can be read behind a byte that `s` reads. */
static charset_t behind_byte(nfa_t *nfa, arena_t *arena, const follow_t *follows, const nfa_state_t *s)
{
    behind_t behind = {.direct.set = charset_none()};
    bool is_over = s->kind == NFA_BYTE || s->limit == 1 || s->is_optional;
    if (s->kind == NFA_COUNT && s->limit > 1)
        behind.direct.set = s->set;
    if (is_over)
        look_at(nfa, arena, s->next, false, &behind);
    for (size_t i = 0; i < behind.others.count; i++)
        behind.direct.set = charset_union(behind.direct.set, follows[behind.others.items[i]].set);
    return behind.direct.set;
}

/* What can be read behind the byte. What stands behind another control point could be anything. */
static charset_t find_second(nfa_t *nfa, arena_t *arena, const follow_t *follows, const configs_t *configs, unsigned byte)
{
    charset_t second = charset_none();
    for (size_t i = 0; i < configs->count; i++) {
        const nfa_state_t *s = &nfa->states.items[configs->items[i].state];
        if (s->kind == NFA_CONTROL && charset_has(&follows[s->control].set, byte))
            return charset_range(0, 255);
        if (nfa_reads(s) && charset_has(&s->set, byte))
            second = charset_union(second, behind_byte(nfa, arena, follows, s));
    }
    return second;
}

void follow_find_twos(nfa_t *nfa, arena_t *arena, const follow_t *follows, control_t *control, unsigned behind)
{
    arena_t *scratch = arena_new();
    const configs_t configs = closure_start(nfa, scratch, nfa->controls.items[behind].targets.items[0], NULL);
    for (unsigned byte = 0; byte < 256; byte++) {
        charset_t second = charset_has(&follows[behind].set, byte) ? find_second(nfa, scratch, follows, &configs, byte)
                                                                   : charset_range(0, 255);
        size_t i = 0;
        while (i < control->twos.count && !charset_equal(&control->twos.items[i].second, &second))
            i++;
        if (charset_count(&second) == 256)
            continue;
        if (i == control->twos.count)
            vec_push(arena, &control->twos, ((two_t){charset_none(), second}));
        control->twos.items[i].first = charset_union(control->twos.items[i].first, charset_range(byte, byte));
    }
    arena_free(scratch);
}
