/* emit_c.c: the generated source, from its parts. */
#include "contract.h"
#include "emit.h"

#include "keyword.h"
#include "name.h"
#include "source.h"

/* ---------------------------------------------------------------- keywords */

static void emit_keywords(const layout_t *l, unsigned conversion, text_t *text)
{
    const conversion_t *c = &l->dfa->nfa->conversions.items[conversion];
    for (unsigned i = 0; i < conversion; i++)
        if (l->words[i] == l->words[conversion]) /* there already; or none */
            return;
    if (!l->words[conversion])
        return;
    text_print(text, "/* The words of %s. */\n", c->reg ? c->reg->name : c->rule->name);
    keyword_emit(c->keywords.items, c->keywords.count, arena_print(l->arena, "find_%s", l->words[conversion]), text);
    text_print(text, "static const qcap_keywords_t words_%s = {find_%s, %u};\n\n", l->words[conversion], l->words[conversion], c->text_size);
}

static void emit_conversions(const layout_t *l, text_t *text)
{
    static const char *const kinds[] = {[CONVERT_DECIMAL] = "DECIMAL", [CONVERT_HEX] = "HEX",
                                        [CONVERT_OCTAL] = "OCTAL",     [CONVERT_BIG] = "BIG",
                                        [CONVERT_LITTLE] = "LITTLE",   [CONVERT_VARINT] = "VARINT",   [CONVERT_JOIN] = "JOIN",
                                        [CONVERT_KEYWORD] = "KEYWORD", [CONVERT_BYTES] = "BYTES",
                                        [CONVERT_UNQUOTE] = "UNQUOTE"};
    const nfa_t *nfa = l->dfa->nfa;
    for (unsigned i = 0; i < nfa->conversions.count; i++)
        emit_keywords(l, i, text);
    text_print(text, "/* How bytes become the values of registers: by rule. */\nstatic const qcap_conversion_t conversions[] = {\n");
    for (unsigned i = 0; i < nfa->conversions.count; i++) {
        const conversion_t *c = &nfa->conversions.items[i];
        const char *keywords = l->words[i] ? arena_print(l->arena, "&words_%s", l->words[i]) : "NULL";
        const char *reg = c->reg ? arena_print(l->arena, "%u", c->reg->index) : "QCAP_NONE";
        const conversion_slot_t *slot = &l->slots.items[l->conversion_slots[i]];
        text_print(text, "    {QCAP_CONVERT_%s, %s, %u, %u, %u, %u, %u, %u, %s, %s, %s}, /* %u: %s */\n", kinds[c->kind], keywords,
                   slot->accumulator, c->accumulator_count, slot->text, c->text_size, l->conversion_slots[i],
                   layout_text(l, c->rule->name), reg, c->reg && c->reg->is_shared ? "true" : "false",
                   c->is_unique ? "true" : "false", i, c->rule->name);
    }
    if (nfa->conversions.count == 0)
        text_print(text, "    {QCAP_CONVERT_DECIMAL, NULL, 0, 0, 0, 0, 0, 0, QCAP_NONE, false, false}, /* none */\n");
    text_print(text, "};\n\n");
}

/* ---------------------------------------------------------------- control points */

/* The first guard that holds; else the alternative that has none, wherever it stands. */
static void emit_choice(const control_t *c, unsigned number, text_t *text)
{
    size_t otherwise = c->guards.count;
    text_print(text, "/* Which alternative of %s applies. */\n", c->rule ? c->rule->name : "the root");
    text_print(text, "static int choose_%u(const qcap_parser_t *parser)\n{\n    qcap_number_t n;\n\n", number);
    for (size_t i = 0; i < c->guards.count; i++) {
        if (!c->guards.items[i]) {
            otherwise = i;
            continue;
        }
        emit_expr_comment(c->guards.items[i], "    ", text);
        text_print(text, "    n = ");
        emit_expr(c->guards.items[i], "    ", text);
        text_print(text, ";\n    if (n.state == QCAP_NUMBER_ERROR)\n        return QCAP_CHOOSE_ERROR;\n");
        text_print(text, "    if (n.value)\n        return %zu;\n", i);
    }
    if (otherwise < c->guards.count)
        text_print(text, "    return %zu;\n}\n\n", otherwise);
    else
        text_print(text, "    return QCAP_CHOOSE_NONE;\n}\n\n");
}

/* Does it know where to go on? One that is never reached does not, nor does a return. */
static bool has_targets(const control_t *c)
{
    return c->targets.count > 0 && c->targets.items[0] != STATE_NONE;
}

static void emit_keywords_as_names(const reg_t *reg, text_t *text)
{
    text_print(text, "(const char *const[]){");
    for (size_t i = 0; i < reg->keywords.count; i++)
        text_print(text, "%s\"%s\"", i ? ", " : "", reg->keywords.items[i]);
    text_print(text, "}");
}

static bool is_same_piece(const piece_t *a, const piece_t *b)
{
    return a->reg == b->reg && a->len == b->len && memcmp(a->text, b->text, a->len) == 0 && a->is_case_sensitive == b->is_case_sensitive;
}

static bool is_same_until(const control_t *a, const control_t *b)
{
    bool is_same = a->kind == b->kind && a->is_line == b->is_line && charset_equal(&a->next, &b->next) &&
                   a->pieces.count == b->pieces.count && a->twos.count == b->twos.count;
    for (size_t i = 0; is_same && i < a->pieces.count; i++)
        is_same = is_same_piece(&a->pieces.items[i], &b->pieces.items[i]);
    for (size_t i = 0; is_same && i < a->twos.count; i++)
        is_same = charset_equal(&a->twos.items[i].first, &b->twos.items[i].first) &&
                  charset_equal(&a->twos.items[i].second, &b->twos.items[i].second);
    return is_same;
}

/* The first control point that looks for the same: what it looks for stands once. */
static unsigned first_until(const layout_t *l, unsigned number)
{
    const control_t *all = l->dfa->controls.items;
    unsigned first = 0;
    while (!has_targets(&all[first]) || !is_same_until(&all[first], &all[number]))
        first++;
    return first;
}

static void emit_control_row(const layout_t *l, const control_t *c, unsigned number, text_t *text)
{
    static const char *const kinds[] = {"CHOICE", "REFINE", "LENGTH", "AT", "CLOSE", "POP", "BECOME", "CALL", "RETURN",
                                        "REPEAT", "AGAIN", "DONE", "UNTIL", "SKIP"};
    text_print(text, "    {.kind = QCAP_CONTROL_%s", kinds[c->kind]);
    if (has_targets(c))
        text_print(text, ", .targets = targets_%u", number);
    text_print(text, ", .rule = %u", layout_text(l, c->rule ? c->rule->name : ""));
    if (c->is_shared)
        text_print(text, ", .is_shared = true");
    if (c->is_joint)
        text_print(text, ", .is_joint = true");
    if (c->kind == CONTROL_CHOICE && has_targets(c))
        text_print(text, ", .choose = choose_%u", layout_choice(l, number));
    if (c->kind == CONTROL_LENGTH || c->kind == CONTROL_AT || (c->kind == CONTROL_REPEAT && c->expr))
        text_print(text, ", .value = value_%u", layout_value(l, c->expr));
    if (c->kind == CONTROL_REFINE)
        text_print(text, ", .slot = %u", l->conversion_slots[c->conversion]);
    if (c->kind == CONTROL_POP)
        text_print(text, ", .queue = %u, .reg = %u, .key = %u", c->queue->index, emit_register_number(c->reg),
                   emit_register_number(c->key));
    if (c->kind == CONTROL_BECOME && c->reg) {
        text_print(text, ", .names = ");
        emit_keywords_as_names(c->reg, text);
        text_print(text, ", .name_count = %zu, .reg = %u", c->reg->keywords.count, emit_register_number(c->reg));
    } else if (c->protocol) {
        text_print(text, ", .protocol = \"%s\"", c->protocol);
    }
    if (c->kind == CONTROL_REPEAT || (c->kind == CONTROL_AGAIN && !c->expr))
        text_print(text, ", .min = %uu, .max = %uu", c->repeat->min, c->repeat->max);
    if (c->kind == CONTROL_UNTIL)
        text_print(text, ", .until = &until_%u", first_until(l, number));
    if (c->depth > 0)
        text_print(text, ", .depth = %u", c->depth);
    text_print(text, "}, /* %u: %s */\n", number, c->rule ? c->rule->name : "the root");
}

static void emit_targets(const layout_t *l, const control_t *c, unsigned number, text_t *text)
{
    text_print(text, "static const uint16_t targets_%u[] = {", number);
    for (size_t k = 0; k < c->targets.count; k++)
        text_print(text, "%s%s", k ? ", " : "", l->enumerators[c->targets.items[k]]);
    text_print(text, "};\n\n");
}

/* A bit for each byte. */
static void emit_bits(const charset_t *set, text_t *text)
{
    for (unsigned i = 0; i < 32; i++) {
        unsigned bits = 0;
        for (unsigned k = 0; k < 8; k++)
            bits |= charset_has(set, 8 * i + k) ? 1u << k : 0;
        text_print(text, "%s0x%02x", i ? ", " : "{", bits);
    }
    text_print(text, "}");
}

/* What follows a number in hexadecimal could be one more digit of it. */
static void emit_byte_of_string(unsigned char byte, bool is_last, text_t *text)
{
    if (byte == '\r' || byte == '\n' || byte == '\t')
        text_print(text, byte == '\r' ? "\\r" : byte == '\n' ? "\\n" : "\\t");
    else if (byte == '"' || byte == '\\')
        text_print(text, "\\%c", byte);
    else if (byte < 0x20 || byte > 0x7e || byte == '?') /* trigraphs */
        text_print(text, "\\x%02x%s", byte, is_last ? "" : "\" \"");
    else
        text_print(text, "%c", byte);
}

/* What ends a rule, and what can follow it. */
static void emit_until(const control_t *c, unsigned number, text_t *text)
{
    bool is_watched = charset_count(&c->next) < 256;
    text_print(text, "static const qcap_piece_t pieces_%u[] = {", number);
    for (size_t i = 0; i < c->pieces.count; i++) {
        const piece_t *piece = &c->pieces.items[i];
        text_print(text, "%s{(const unsigned char *)\"", i ? ", " : "");
        for (size_t k = 0; k < piece->len; k++)
            emit_byte_of_string((unsigned char)piece->text[k], k + 1 == piece->len, text);
        text_print(text, "\", %zu, ", piece->len);
        text_print(text, piece->reg ? "%u, " : "QCAP_NONE, ", emit_register_number(piece->reg));
        text_print(text, "%s}", piece->is_case_sensitive ? "false" : "true");
    }
    text_print(text, "};\n\n");
    if (is_watched) {
        text_print(text, "static const uint8_t next_%u[32] = ", number);
        emit_bits(&c->next, text);
        text_print(text, ";\n\n");
    }
    if (c->twos.count)
        text_print(text, "static const qcap_two_t twos_%u[] = {\n", number);
    for (size_t i = 0; i < c->twos.count; i++) {
        text_print(text, "    {");
        emit_bits(&c->twos.items[i].first, text);
        text_print(text, ",\n     ");
        emit_bits(&c->twos.items[i].second, text);
        text_print(text, "},\n");
    }
    if (c->twos.count)
        text_print(text, "};\n\n");
    text_print(text, "static const qcap_until_t until_%u = {pieces_%u, %zu, %s, ", number, number, c->pieces.count,
               c->is_line ? "true" : "false");
    text_print(text, is_watched ? "next_%u, " : "NULL, ", number);
    text_print(text, c->twos.count ? "twos_%u, %zu};\n\n" : "NULL, 0};\n\n", number, c->twos.count);
}

static void emit_choices(const layout_t *l, text_t *text)
{
    const dfa_t *dfa = l->dfa;
    for (unsigned i = 0; i < dfa->controls.count; i++)
        if (has_targets(&dfa->controls.items[i]) && dfa->controls.items[i].kind == CONTROL_CHOICE && layout_choice(l, i) == i)
            emit_choice(&dfa->controls.items[i], i, text);
}

static void emit_controls(const layout_t *l, text_t *text)
{
    const dfa_t *dfa = l->dfa;
    for (unsigned i = 0; i < dfa->controls.count; i++) {
        const control_t *c = &dfa->controls.items[i];
        if (!has_targets(c))
            continue;
        emit_targets(l, c, i, text);
        if (c->kind == CONTROL_UNTIL && first_until(l, i) == i)
            emit_until(c, i, text);
    }
    text_print(text, "/* Control points: what they look at, and where they go on. */\nstatic const qcap_control_t controls[] = {\n");
    for (unsigned i = 0; i < dfa->controls.count; i++)
        emit_control_row(l, &dfa->controls.items[i], i, text);
    if (dfa->controls.count == 0)
        text_print(text, "    {.kind = QCAP_CONTROL_CHOICE}, /* none */\n");
    text_print(text, "};\n\n");
}

/* ---------------------------------------------------------------- names */

/* A C string with its quotes. */
static void emit_string(const char *s, text_t *text)
{
    text_print(text, "\"");
    for (; *s; s++)
        text_print(text, *s == '"' || *s == '\\' ? "\\%c" : "%c", *s);
    text_print(text, "\"");
}

static void emit_names(const layout_t *l, text_t *text)
{
    const nfa_t *nfa = l->dfa->nfa;
    text_print(text, "/* Names of rules and anomalies, and what is expected: for messages. */\nstatic const char *const texts[] = {\n");
    for (size_t i = 0; i < l->texts.count; i++) {
        text_print(text, "    ");
        emit_string(l->texts.items[i], text);
        text_print(text, ",\n");
    }
    text_print(text, "};\n\n/* Elements: name, the one around it, the one that selects it, whether it is a stream, what joins its parts. */\n"
                     "static const qcap_element_t elements[] = {\n");
    for (size_t i = 0; i < nfa->elements.count; i++) {
        const element_t *e = &nfa->elements.items[i];
        text_print(text, "    {\"%s\", %s, %s, %s, ", e->name,
                   e->parent == ELEMENT_NONE ? "QCAP_NONE" : l->elements[e->parent],
                   e->selector == ELEMENT_NONE ? "QCAP_NONE" : l->elements[e->selector],
                   e->is_stream ? "true" : "false");
        if (e->separator)
            emit_string(e->separator, text);
        text_print(text, e->separator ? "},\n" : "NULL},\n");
    }
    if (nfa->elements.count == 0)
        text_print(text, "    {\"\", QCAP_NONE, QCAP_NONE, false, NULL}, /* none */\n");
    text_print(text, "};\n\nstatic const uint64_t all_elements[] = {");
    for (size_t i = 0; i <= nfa->elements.count / 64; i++)
        text_print(text, "%sUINT64_MAX", i ? ", " : "");
    text_print(text, "};\n\n/* Where the protocol is usual. */\nstatic const qcap_port_t ports[] = {\n");
    for (size_t i = 0; i < l->grammar->ports.count; i++)
        text_print(text, "    {\"%s\", %u},\n", l->grammar->ports.items[i].transport, l->grammar->ports.items[i].number);
    if (l->grammar->ports.count == 0)
        text_print(text, "    {\"\", 0}, /* none */\n");
    text_print(text, "};\n\n");
}

static void emit_queues(const layout_t *l, text_t *text)
{
    unsigned before = 0;
    text_print(text, "/* Queues: how many entries, how far apart. */\nstatic const qcap_queue_t queues[] = {\n");
    for (size_t i = 0; i < l->grammar->queues.count; i++) {
        const queue_t *q = l->grammar->queues.items[i];
        text_print(text, "    {%u, %u}, /* %s */\n", q->capacity, layout_queue_stride(q), q->name);
        before += q->capacity * layout_queue_stride(q);
    }
    if (l->grammar->queues.count == 0)
        text_print(text, "    {1, 1}, /* none */\n");
    text_print(text, "};\n\n#define EXTRA_SIZE (%u * sizeof(qcap_queue_entry_t))\n\n", before);
}

static unsigned size_of_register(const layout_t *l, size_t index)
{
    size_t i = 0;
    while (l->grammar->registers.items[i]->index != index)
        i++;
    return l->grammar->registers.items[i]->size;
}

/* Where registers have their bytes. */
static void emit_register_texts(const layout_t *l, text_t *text)
{
    text_print(text, "/* Where registers of bytes have theirs, and how many. */\nstatic const qcap_text_t register_texts[] = {");
    for (size_t i = 0; i < l->register_texts.count; i++)
        text_print(text, "{%u, %u}, ", l->register_texts.items[i], size_of_register(l, i));
    text_print(text, "{0, 0}};\n\nstatic const qcap_text_t shared_texts[] = {");
    for (size_t i = 0; i < l->shared_texts.count; i++)
        text_print(text, "{%u, %u}, ", l->shared_texts.items[i], l->grammar->shared.items[i]->size);
    text_print(text, "{0, 0}};\n\n");
}

/* The one byte that a state, or the one that it enters, reads; -1 if there are several. */
static int only_byte(const layout_t *l, unsigned state)
{
    if (state == STATE_NONE)
        return -1;
    const dfa_state_t *s = &l->dfa->states.items[state];
    if (s->kind == DFA_ENTRY)
        s = &l->dfa->states.items[s->edges.items[0].target];
    charset_t set = charset_none();
    for (size_t i = 0; i < s->edges.count; i++)
        set = charset_union(set, s->edges.items[i].set);
    return s->kind == DFA_BYTES && charset_count(&set) == 1 ? (int)charset_first(&set) : -1;
}

/* A decoder of that name, with a register as its key; or the keywords of a register, which are names. */
static void emit_decode(const note_t *note, text_t *text)
{
    const reg_t *reg = note->reg;
    if (note->name) {
        text_print(text, "    {\"%s\", NULL, 0, %u},\n", note->name, emit_register_number(reg));
        return;
    }
    text_print(text, "    {NULL, ");
    emit_keywords_as_names(reg, text);
    text_print(text, ", %zu, %u},\n", reg->keywords.count, emit_register_number(reg));
}

/* Decoders of all sub-streams, then which of them are whose. */
static void emit_feeds(const layout_t *l, text_t *text)
{
    const nfa_t *nfa = l->dfa->nfa;
    unsigned first = 0;
    text_print(text, "/* Decoders in front of sub-streams. */\nstatic const qcap_decode_t decodes[] = {\n");
    for (size_t i = 0; i < nfa->feeds.count; i++)
        for (size_t k = 0; k < nfa->feeds.items[i].decoders.count; k++)
            emit_decode(nfa->feeds.items[i].decoders.items[k], text);
    text_print(text, "    {NULL, NULL, 0, QCAP_NONE}, /* none */\n};\n\n/* Sub-streams: who reads them, from where; the decoders. */\nstatic const qcap_feed_t feeds[] = {\n");
    for (unsigned i = 0; i < nfa->feeds.count; i++) {
        const feed_t *feed = &nfa->feeds.items[i];
        unsigned start = l->dfa->feeds.items[i], search = l->dfa->feed_searches.items[i];
        text_print(text, "    {{.start = %s, .search = %s, .search_byte = QCAP_NONE}, ", start == STATE_NONE ? "QCAP_NONE" : l->enumerators[start],
                   search == STATE_NONE ? "QCAP_NONE" : l->enumerators[search]);
        text_print(text, feed->rule ? "NULL, " : "\"%s\", ", feed->protocol);
        text_print(text, "%s, %s, %u, %zu}, /* %s */\n", feed->is_datagram ? "true" : "false",
                   feed->is_excerpt ? "true" : "false", first, feed->decoders.count,
                   feed->rule ? feed->rule->name : feed->protocol);
        first += (unsigned)feed->decoders.count;
    }
    text_print(text, "    {{.start = QCAP_NONE}, NULL, false, false, 0, 0}, /* none */\n};\n\n");
}

/* Conversations that are expected: what is known of them, where the rest is. */
static void emit_expects(const layout_t *l, text_t *text)
{
    text_print(text, "/* Conversations to come. */\nstatic const qcap_expect_t expects[] = {\n");
    for (size_t i = 0; i < l->expects.count; i++) {
        const note_t *e = l->expects.items[i];
        text_print(text, "    {\"%s\", \"%s\", %s, %u, value_%u},\n", e->transport, e->name,
                   e->reg ? e->reg->type == REGISTER_BYTES ? "QCAP_HOST_TEXT" : "QCAP_HOST_ADDRESS"
                   : e->is_server ? "QCAP_HOST_SERVER" : "QCAP_HOST_CLIENT",
                   emit_register_number(e->reg), layout_value(l, e->expr));
    }
    text_print(text, "    {NULL, NULL, QCAP_HOST_CLIENT, QCAP_NONE, NULL}, /* none */\n};\n\n");
}

static void emit_root(const layout_t *l, const char *side, unsigned start, unsigned search, text_t *text)
{
    text_print(text, "    .%s = {.start = %s,\n", side, start == STATE_NONE ? "QCAP_NONE" : l->enumerators[start]);
    text_print(text, "               .search = %s", search == STATE_NONE ? "QCAP_NONE" : l->enumerators[search]);
    text_print(text, only_byte(l, search) < 0 ? ",\n               .search_byte = QCAP_NONE" : ",\n               .search_byte = %d",
               only_byte(l, search));
    text_print(text, "},\n");
}

/* What there is none of has no place. */
static void emit_side(const layout_t *l, const contract_t *c, text_t *text)
{
    if (c->side.count == 1) /* the registers, which are where it begins */
        return;
    text_print(text, "    .side = {");
    for (size_t i = 1; i < c->side.count; i++)
        text_print(text, "%s.%s = offsetof(struct %s_side, %s)", i > 1 ? ",\n             " : "", c->side.items[i].name, l->prefix,
                   c->side.items[i].name);
    text_print(text, "},\n");
}

static bool may_become(const dfa_t *dfa)
{
    for (size_t i = 0; i < dfa->controls.count; i++)
        if (dfa->controls.items[i].kind == CONTROL_BECOME)
            return true;
    return false;
}

static void emit_protocol(const layout_t *l, const contract_t *contract, text_t *text)
{
    text_print(text, "const qcap_protocol_t %s_protocol = {\n", l->prefix);
    text_print(text, "    .name = \"%s\",\n    .title = ", l->grammar->name);
    emit_string(l->grammar->title ? l->grammar->title : l->grammar->name, text);
    text_print(text, ",\n    .elements = elements,\n    .element_count = %zu,\n    .all_elements = all_elements,\n", l->dfa->nfa->elements.count);
    text_print(text, "    .ports = ports,\n    .port_count = %zu,\n", l->grammar->ports.count);
    if (l->grammar->is_entered)
        text_print(text, "    .is_entered = true,\n");
    if (may_become(l->dfa))
        text_print(text, "    .may_become = true,\n");
    text_print(text, "    .size = sizeof(%s_t),\n    .extra_size = EXTRA_SIZE,\n", l->prefix);
    text_print(text, "    .client_offset = offsetof(%s_t, client),\n    .server_offset = offsetof(%s_t, server),\n",
               l->prefix, l->prefix);
    emit_root(l, "client", l->dfa->client, l->dfa->client_search, text);
    emit_root(l, "server", l->dfa->server, l->dfa->server_search, text);
    emit_side(l, contract, text);
    text_print(text, "    .datagram = %s,\n", l->dfa->datagram == STATE_NONE ? "QCAP_NONE" : l->enumerators[l->dfa->datagram]);
    text_print(text, "    .states = states,\n    .class_of = class_of,\n    .class_count = %u,\n    .rows = rows,\n"
                     "    .edges = edges,\n    .edge_lists = edge_lists,\n    .actions = actions,\n    .steps = steps,\n    .ops = ops,\n"
                     "    .values = values,\n    .abouts = abouts,\n    .keeps = keeps,\n    .machines = machines,\n",
               l->dfa->class_count);
    text_print(text, "    .controls = controls,\n    .suspends = suspends,\n"
                     "    .counters = counters,\n    .conversions = conversions,\n    .conversion_count = %zu,\n"
                     "    .queues = queues,\n    .queue_count = %zu,\n",
               l->dfa->nfa->conversions.count, l->grammar->queues.count);
    text_print(text, "    .register_count = %zu,\n    .word_count = %u,\n", l->grammar->registers.count, l->word_count);
    text_print(text, "    .until_max = %u,\n    .until_size = %u,\n", l->dfa->nfa->until_max, layout_ends(l->dfa->nfa));
    text_print(text, "    .call_max = %u,\n", layout_calls(l->dfa->nfa));
    if (l->grammar->queues.count)
        text_print(text, "    .queue_firsts = offsetof(%s_t, queue_firsts),\n", l->prefix);
    text_print(text, "    .shared = offsetof(%s_t, shared),\n    .queue_states = offsetof(%s_t, queues),\n", l->prefix,
               l->prefix);
    if (l->dfa->nfa->feeds.count)
        text_print(text, "    .subs = offsetof(%s_t, subs),\n    .sub_size = sizeof(struct %s_sub),\n"
                         "    .sub_state = offsetof(struct %s_sub, substream),\n", l->prefix, l->prefix, l->prefix);
    text_print(text, "    .feeds = feeds,\n    .feed_count = %zu,\n    .decodes = decodes,\n    .expects = expects,\n", l->dfa->nfa->feeds.count);
    text_print(text, "    .saved_size = %u,\n", layout_saved(l->dfa->nfa));
    text_print(text, "    .register_texts = register_texts,\n    .shared_texts = shared_texts,\n"
                     "    .shared_text = offsetof(%s_t, shared_text),\n    .joined_text = %u,\n    .later_text = %u,\n", l->prefix, l->joined_text,
               l->later_text);
    text_print(text, "    .texts = texts,\n};\n\n");
}

static void emit_top(const layout_t *l, text_t *text)
{
    const grammar_t *g = l->grammar;
    text_print(text, "/* %s.c: a parser for %s.\n *\n * Generated by qcapgen from", g->name, g->title ? g->title : g->name);
    emit_files(l, text);
    text_print(text, ". Do not edit.\n *\n * All states stand in tables; those that are read often also as direct code, one label a state.\n"
                     " * Above a state: the rule, a dot where reading stands in it, a shortest input that leads there. */\n");
    text_print(text, "#include \"%s.h\"\n#include \"scan.h\"\n\n", g->name);
}

static void emit_enumerators(const layout_t *l, text_t *text)
{
    text_print(text, "enum {\n");
    for (unsigned s = 0; s < l->dfa->states.count; s++)
        text_print(text, "    %s = %u,\n", l->enumerators[s], s);
    text_print(text, "};\n\n");
}

void emit_c(const layout_t *l, const table_t *table, text_t *text)
{
    emit_top(l, text);
    emit_enumerators(l, text);
    emit_values(l, text);
    emit_choices(l, text);
    emit_conversions(l, text);
    emit_machines(l, text);
    emit_controls(l, text);
    emit_tables(l, table, text);
    emit_names(l, text);
    emit_queues(l, text);
    emit_register_texts(l, text);
    emit_feeds(l, text);
    emit_expects(l, text);
    const contract_t contract = contract_of(l, table);
    emit_protocol(l, &contract, text);
    text_print(text, "void %s_init(%s_t *conversation, qcap_event_handler_t on_event, void *user)\n{\n", l->prefix, l->prefix);
    text_print(text, "    qcap_conversation_init(conversation, &%s_protocol, on_event, user);\n}\n", l->prefix);
}
