/* unreachable.c: alternatives that are never read.
 *
 * A reading that has come to the end of an alternative, and was the first there, may be what wins; closure.c has noted it. An
 * alternative for which that never happened is in the spec for nothing: whatever fits it is read by an earlier one, or a `cut` has
 * given it up before. Where it has no annotations nobody can see the difference, and published grammars have many such; it is
 * worth a warning where it has some. A rule that is used in several places is written out for each, and may be read in one. */
#include "unreachable.h"

typedef struct entry {
    const node_t *node, *choice;
    const rule_t *rule;
    bool is_taken, has_effect;
} entry_t;

typedef struct table {
    arena_t *arena;
    VEC(entry_t) entries; /* in the order in which they were met */
    VEC(unsigned) slots;  /* hash table by node: number + 1, or 0; open addressing */
} table_t;

static unsigned slot_of(const table_t *table, const node_t *node)
{
    unsigned slot = (unsigned)(((uintptr_t)node >> 4) * 2654435761u % table->slots.count);
    while (table->slots.items[slot] && table->entries.items[table->slots.items[slot] - 1].node != node)
        slot = (slot + 1) % (unsigned)table->slots.count;
    return slot;
}

static void add(table_t *table, const alternative_t *alternative, bool has_effect)
{
    unsigned slot = slot_of(table, alternative->node);
    if (!table->slots.items[slot]) {
        vec_push(table->arena, &table->entries,
                 ((entry_t){.node = alternative->node, .choice = alternative->choice, .rule = alternative->rule}));
        table->slots.items[slot] = (unsigned)table->entries.count;
    }
    entry_t *entry = &table->entries.items[table->slots.items[slot] - 1];
    entry->is_taken |= alternative->is_taken;
    entry->has_effect |= has_effect;
}

/* Which alternatives do something besides reading. */
static bool *find_effects(const nfa_t *nfa, arena_t *arena)
{
    bool *has_effect = ARENA_ARRAY(arena, bool, nfa->alternatives.count + 1);
    for (size_t i = 0; i < nfa->states.count; i++) {
        const nfa_state_t *s = &nfa->states.items[i];
        if (s->kind != NFA_CONTROL && (s->kind != NFA_OP || !nfa_is_telling(nfa, &nfa->ops.items[s->op])))
            continue;
        for (const context_t *c = s->context; c; c = c->parent)
            if (c->alternative)
                has_effect[c->alternative - 1] = true;
    }
    return has_effect;
}

/* Another alternative of the same choice is read: else the choice as a whole is not, which is reported where that is. */
static bool has_rival(const table_t *table, const entry_t *entry)
{
    for (size_t i = 0; i < table->entries.count; i++)
        if (table->entries.items[i].choice == entry->choice && table->entries.items[i].is_taken)
            return true;
    return false;
}

nodes_t unreachable_report(const dfa_t *dfa, diag_t *diag)
{
    const nfa_t *nfa = dfa->nfa;
    table_t table = {.arena = arena_new()};
    nodes_t found = {0};
    const bool *has_effect = find_effects(nfa, table.arena);
    for (size_t i = 0; i < 2 * nfa->alternatives.count + 1; i++)
        vec_push(table.arena, &table.slots, 0);
    for (size_t i = 0; i < nfa->alternatives.count; i++)
        add(&table, &nfa->alternatives.items[i], has_effect[i]);
    for (size_t i = 0; i < table.entries.count; i++) {
        const entry_t *entry = &table.entries.items[i];
        if (entry->is_taken || !entry->has_effect || !has_rival(&table, entry))
            continue;
        vec_push(dfa->arena, &found, entry->node);
        diag_warning(diag, entry->node->place, "this alternative is never read");
        diag_note(diag, "what fits it is read by one before it, or given up by a `cut`");
    }
    arena_free(table.arena);
    return found;
}
