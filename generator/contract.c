/* contract.c: what a generated parser needs, known before it runs.
 *
 * The members of a conversation's block are listed here; emit_h.c declares them, and this file adds them up as a compiler does
 * with 64-bit pointers. */
#include "contract.h"

/* What members and tables are made of: bytes, and to what multiple of them a compiler aligns. parser.h has the types. */
static const struct {
    const char *type;
    unsigned size, align;
} types[] = {
    {"qcap_conversation_t", 152, 8}, {"qcap_parser_t", 168, 8},   {"qcap_register_t", 8, 8}, {"qcap_slot_t", 8, 8},
    {"qcap_region_t", 24, 8},       {"qcap_frame_t", 16, 8},      {"qcap_later_t", 4, 4},   {"qcap_underway_t", 8, 8},
    {"qcap_accumulator_t", 24, 8},  {"qcap_queue_state_t", 24, 8}, {"qcap_queue_entry_t", 32, 8}, {"qcap_state_t", 12, 4},
    {"qcap_edge_t", 4, 2},          {"qcap_op_t", 10, 2},        {"qcap_about_t", 4, 2},    {"qcap_suspend_t", 6, 2},
    {"qcap_substream_t", 344, 8},   {"qcap_parser_t *", 8, 8},
    {"qcap_watch_t", 24, 8},        {"qcap_counter_t", 8, 4},   {"qcap_keep_t", 16, 2}, {"qcap_step_t", 4, 2},      {"uint64_t", 8, 8}, {"uint32_t", 4, 4},        {"uint16_t", 2, 2},        {"unsigned char", 1, 1},
};

static size_t find_type(const char *type)
{
    size_t i = 0;

    while (i < sizeof types / sizeof *types && strcmp(types[i].type, type) != 0)
        i++;
    return i;
}

unsigned contract_type_size(const char *type)
{
    size_t i = find_type(type);

    return i < sizeof types / sizeof *types ? types[i].size : 0;
}

static unsigned align(unsigned offset, unsigned to)
{
    return (offset + to - 1) / to * to;
}

/* Where the next member begins behind one that begins at `offset`, or a struct ends. */
static unsigned behind(unsigned offset, const contract_member_t *m)
{
    size_t type = find_type(m->type);

    return align(offset, types[type].align) + types[type].size * m->count;
}

static unsigned at_least_one(size_t count)
{
    return count ? (unsigned)count : 1;
}

/* ---------------------------------------------------------------- members */

/* C has no arrays of nothing: of registers there is at least one, so that there is a struct; the rest is left out. */
static void list_members(const layout_t *l, contract_t *c)
{
    const nfa_t *nfa = l->dfa->nfa;
    const contract_member_t common[] = {
        {"qcap_register_t", "shared", "registers", at_least_one(l->grammar->shared.count)},
        {"unsigned char", "shared_text", "texts", at_least_one(l->shared_text_size)},
        {"qcap_queue_state_t", "queues", "queues", at_least_one(l->grammar->queues.count)},
        {"qcap_queue_entry_t", "queue_firsts", "queues.first", layout_queue_firsts(l->grammar)},
    };
    const contract_member_t side[] = { /* the largest alignment first: then there are no holes */
        {"qcap_register_t", "registers", "registers", at_least_one(l->grammar->registers.count - l->word_count)},
        {"qcap_slot_t", "slots", "elements", (unsigned)(c->depth)},
        {"qcap_region_t", "regions", "regions", (unsigned)(c->regions)},
        {"qcap_frame_t", "frames", "calls", (unsigned)(c->frames)},
        {"qcap_underway_t", "underway", "conversions", (unsigned)(l->slots.count)},
        {"qcap_accumulator_t", "accumulators", "accumulators", (unsigned)(l->accumulator_count)},
        {"uint64_t", "saved", "local", (unsigned)(layout_saved(nfa))},
        {"qcap_watch_t", "watches", "ends", layout_untils(nfa)},
        {"qcap_later_t", "later", "atomic", (unsigned)(l->dfa->later_max)},
        {"uint32_t", "positions", "positions", l->position_count + l->has_spare},
        {"uint16_t", "words", "words", l->word_count},
        {"unsigned char", "ends", "ends.texts", layout_ends(nfa) * layout_untils(nfa)},
        {"unsigned char", "ahead", "ahead", layout_ahead(nfa)},
        {"unsigned char", "text", "texts", (unsigned)(l->text_size)},
    };
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        if (common[i].count > 0)
            vec_push(l->arena, &c->common, common[i]);
    for (size_t i = 0; i < sizeof side / sizeof *side; i++)
        if (side[i].count > 0)
            vec_push(l->arena, &c->side, side[i]);
}

static void add_up(contract_t *c)
{
    unsigned side = 0, before = 0, word = contract_type_size("uint64_t");

    for (size_t i = 0; i < c->side.count; i++)
        side = behind(side, &c->side.items[i]);
    for (size_t i = 0; i < c->common.count; i++)
        before = behind(before, &c->common.items[i]);
    c->parser_size = contract_type_size("qcap_parser_t");
    c->common_size = contract_type_size("qcap_conversation_t") + align(before, word);
    c->side_size = c->parser_size + align(side, word);
    c->sub_size = c->side_size + contract_type_size("qcap_substream_t");
    c->size = c->common_size + (c->has_client ? c->side_size : c->parser_size) + (c->has_server ? c->side_size : c->parser_size) +
              2 * c->feeds * contract_type_size("qcap_parser_t *");
}

/* ---------------------------------------------------------------- the automaton */

static void look_at_states(const layout_t *l, contract_t *c)
{
    for (size_t s = 0; s < l->dfa->states.count; s++) {
        const dfa_state_t *state = &l->dfa->states.items[s];
        c->hot_states += state->is_hot;
        c->open_states += state->held_registers.count > 0;
        if (state->held_back > c->lookback)
            c->lookback = state->held_back;
    }
}

/* Elements of a table with so many words to a row. */
static unsigned rows_size(const char *type, const pool_t *pool, unsigned words)
{
    return (unsigned)(pool->words.count / words) * contract_type_size(type);
}

static unsigned add_tables(const layout_t *l, const table_t *t)
{
    unsigned byte_classes = 256, rows = (unsigned)t->rows.words.count, action_word = 2;

    return byte_classes + rows + rows_size("qcap_edge_t", &t->edges, 2) + (unsigned)t->lists.words.count * action_word + (unsigned)t->actions.words.count * action_word +
           rows_size("qcap_about_t", &t->abouts, 2) +
           rows_size("qcap_suspend_t", &t->suspends, 3) + rows_size("qcap_counter_t", &t->counters, 2) +
           rows_size("qcap_keep_t", &t->keeps, 8) + rows_size("qcap_step_t", &t->steps, 2) + (unsigned)l->dfa->states.count * contract_type_size("qcap_state_t") +
           (unsigned)l->dfa->nfa->ops.count * contract_type_size("qcap_op_t");
}

contract_t contract_of(const layout_t *l, const table_t *table)
{
    contract_t c = {.depth = layout_slots(l->dfa->nfa),
                    .regions = layout_regions(l->dfa->nfa),
                    .calls = layout_calls(l->dfa->nfa),
                    .frames = layout_frames(l->dfa->nfa),
                    .has_client = l->grammar->client || l->grammar->datagram,
                    .has_server = l->grammar->server || l->grammar->datagram,
                    .feeds = (unsigned)l->dfa->nfa->feeds.count};

    list_members(l, &c);
    add_up(&c);
    for (size_t i = 0; i < l->grammar->queues.count; i++)
        c.queue_size += l->grammar->queues.items[i]->capacity * layout_queue_stride(l->grammar->queues.items[i]) *
                        contract_type_size("qcap_queue_entry_t");
    look_at_states(l, &c);
    c.table_size = add_tables(l, table);
    return c;
}

/* ---------------------------------------------------------------- printing */

/* What a member takes, under `name`. */
static void print_member(const contract_member_t *m, const char *name, const char *before, text_t *text)
{
    text_print(text, "%sbytes.%s.%s %u\n", before, name, m->what, contract_type_size(m->type) * m->count);
}

void contract_print(const layout_t *l, const contract_t *c, const char *before, text_t *text)
{
    const struct {
        const char *key;
        size_t value;
    } numbers[] = {
        {"states", l->dfa->states.count},   {"states.hot", c->hot_states},
        {"machines", l->machines.count},    {"control-points", l->dfa->controls.count},
        {"elements", l->dfa->nfa->elements.count},
        {"elements.nested", c->depth},      {"regions.nested", c->regions},
        {"calls.nested", c->calls},         {"position-registers", l->position_count},
        {"atomic.words", l->dfa->later_max},
        {"lookback.bytes", c->lookback},    {"lookback.open-states", c->open_states},
        {"bytes.conversation", c->size},    {"bytes.shared", c->common_size},
        {"bytes.direction", c->side_size},  {"bytes.direction.parser", c->parser_size},
        {"bytes.sub-stream", c->feeds ? c->sub_size : 0},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        text_print(text, "%s%s %zu\n", before, numbers[i].key, numbers[i].value);
    for (size_t i = 0; i < c->side.count; i++)
        print_member(&c->side.items[i], "direction", before, text);
    text_print(text, "%sbytes.queues %u\n%sbytes.tables %u\n", before, c->queue_size, before, c->table_size);
}
