/* sample_fork.c: where the grammar leaves a choice, which ways have been used, and which is taken. */
#include "sampler.h"

uint64_t sample_chance(sample_t *s)
{
    uint64_t z = s->random += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

unsigned sample_below(sample_t *s, size_t count)
{
    return count ? (unsigned)(sample_chance(s) % count) : 0;
}

static size_t slot_of(const sample_t *s, const void *of)
{
    size_t at = (size_t)(((uintptr_t)of >> 4) * 0x9e3779b97f4a7c15u >> 20) & (s->forks.count - 1);
    while (s->forks.items[at] && s->forks.items[at]->of != of)
        at = (at + 1) & (s->forks.count - 1);
    return at;
}

static void grow_forks(sample_t *s)
{
    size_t count = s->forks.count ? s->forks.count * 2 : 256;
    fork_t **old = s->forks.items;
    size_t old_count = s->forks.count;
    s->forks.items = ARENA_ARRAY(s->arena, fork_t *, count);
    s->forks.count = s->forks.capacity = count;
    for (size_t i = 0; i < old_count; i++)
        if (old[i])
            s->forks.items[slot_of(s, old[i]->of)] = old[i];
}

fork_t *fork_get(sample_t *s, const void *of, size_t count)
{
    if (s->fork_count * 2 >= s->forks.count)
        grow_forks(s);
    size_t at = slot_of(s, of);
    if (s->forks.items[at])
        return s->forks.items[at];
    fork_t *fork = ARENA_NEW(s->arena, fork_t);
    fork->of = of;
    fork->count = count;
    fork->used = ARENA_ARRAY(s->arena, unsigned, count);
    fork->trying = ARENA_ARRAY(s->arena, unsigned, count);
    s->forks.items[at] = fork;
    s->fork_count++;
    return fork;
}

const note_t *sample_note(const notes_t *notes, note_kind_t kind)
{
    for (size_t i = 0; i < notes->count; i++)
        if (notes->items[i]->kind == kind)
            return notes->items[i];
    return NULL;
}

/* The numbers of times that are tried for a repeat. */
unsigned fork_repeat_ways(const node_t *node)
{
    if (node->max == REPEAT_UNBOUNDED)
        return 3;
    return node->max - node->min < 2 ? node->max - node->min + 1 : 3;
}

unsigned fork_repeat_times(sample_t *s, const node_t *node, unsigned way)
{
    if (way < 2)
        return node->min + way;
    if (node->max == REPEAT_UNBOUNDED)
        return node->min + 2 + sample_below(s, 4);
    return node->max > 5000 ? node->max - sample_below(s, 2) : node->max;
}

bool fork_is_wanting(sample_t *s, const node_t *node);

bool fork_is_rule_wanting(sample_t *s, const rule_t *rule)
{
    fork_t *fork = fork_get(s, rule, 0);
    if (fork->asked == s->round)
        return fork->is_wanting;
    fork->asked = s->round;
    fork->is_wanting = false; /* while it is being asked */
    const note_t *refine = sample_note(&rule->notes, NOTE_REFINE);
    bool wants = fork_is_wanting(s, rule->body);
    if (refine && refine->entries.count) {
        fork_t *names = fork_get(s, refine, refine->entries.count + 1);
        for (size_t i = 0; i < names->count; i++)
            wants |= names->used[i] == 0;
        for (size_t i = 0; i < refine->entries.count; i++)
            wants |= fork_is_rule_wanting(s, refine->entries.items[i].rule);
    }
    return fork->is_wanting = wants;
}

/* Is there anything at the node, or below it, that has not been used? */
bool fork_is_wanting(sample_t *s, const node_t *node)
{
    if (node->kind == NODE_RULE)
        return fork_is_rule_wanting(s, node->rule);
    if (node->kind == NODE_CHOICE || node->kind == NODE_REPEAT) {
        fork_t *fork = fork_get(s, node, node->kind == NODE_CHOICE ? node->children.count : fork_repeat_ways(node));
        for (size_t i = 0; i < fork->count; i++)
            if (fork->used[i] == 0)
                return true;
    }
    for (size_t i = 0; i < node->children.count; i++)
        if (fork_is_wanting(s, node->children.items[i]))
            return true;
    return false;
}

/* One of the ways that are `open`: at random, but what has not been used goes first. */
size_t fork_choose(sample_t *s, fork_t *fork, const bool *open, const bool *wanting)
{
    size_t candidates = 0, preferred = 0;
    for (size_t i = 0; i < fork->count; i++) {
        candidates += open[i];
        preferred += open[i] && (fork->used[i] == 0 || wanting[i]);
    }
    if (candidates == 0) {
        s->has_failed = true;
        return 0;
    }
    bool is_picky = preferred > 0 && sample_below(s, 8);
    size_t n = sample_below(s, is_picky ? preferred : candidates), i = 0;
    for (;; i++)
        if (open[i] && (!is_picky || fork->used[i] == 0 || wanting[i]) && n-- == 0)
            break;
    fork->trying[i]++;
    return i;
}

/* Extent, not choice, has made it so many times. */
void fork_note_times(sample_t *s, const node_t *node, unsigned times)
{
    fork_t *fork = fork_get(s, node, fork_repeat_ways(node));
    unsigned way = times - node->min;
    if (way >= 2 && fork->count == 3 && (node->max == REPEAT_UNBOUNDED || times == node->max))
        way = 2;
    if (way < fork->count)
        fork->trying[way]++;
}

void fork_count_ways(sample_t *s, bool is_used)
{
    for (size_t i = 0; i < s->forks.count; i++)
        for (size_t k = 0; s->forks.items[i] && k < s->forks.items[i]->count; k++) {
            s->forks.items[i]->used[k] += is_used ? s->forks.items[i]->trying[k] : 0;
            s->forks.items[i]->trying[k] = 0;
        }
}

/* One round of the root's repeat, so that what it was made of is known; else the root. */
const node_t *sample_round(const node_t *root)
{
    return root->kind == NODE_REPEAT && root->max == REPEAT_UNBOUNDED ? root->children.items[0] : root;
}

static void count_node(sample_t *s, const node_t *node, size_t *used, size_t *all);

static void count_rule(sample_t *s, const rule_t *rule, size_t *used, size_t *all)
{
    fork_t *fork = fork_get(s, rule, 0);
    if (fork->asked == s->round)
        return;
    fork->asked = s->round;
    const note_t *refine = sample_note(&rule->notes, NOTE_REFINE);
    fork_t *names = refine && refine->entries.count ? fork_get(s, refine, refine->entries.count + 1) : NULL;
    for (size_t i = 0; names && i < names->count; i++) {
        *used += names->used[i] > 0;
        *all += 1;
        if (i > 0)
            count_rule(s, refine->entries.items[i - 1].rule, used, all);
    }
    count_node(s, rule->body, used, all);
}

static void count_node(sample_t *s, const node_t *node, size_t *used, size_t *all)
{
    if (node->kind == NODE_RULE)
        count_rule(s, node->rule, used, all);
    if (node->kind == NODE_CHOICE || node->kind == NODE_REPEAT) {
        fork_t *fork = fork_get(s, node, node->kind == NODE_CHOICE ? node->children.count : fork_repeat_ways(node));
        for (size_t i = 0; i < fork->count; i++) {
            *used += fork->used[i] > 0;
            *all += 1;
        }
    }
    for (size_t i = 0; i < node->children.count; i++)
        count_node(s, node->children.items[i], used, all);
}

void sample_count(sample_t *s, const rule_t *rule, size_t *used, size_t *all)
{
    *used = *all = 0;
    s->round++;
    if (rule)
        count_rule(s, rule, used, all);
    if (!rule && s->grammar->client)
        count_node(s, sample_round(s->grammar->client), used, all);
    if (!rule && s->grammar->server)
        count_node(s, sample_round(s->grammar->server), used, all);
    s->round++;
}
