/* resolve_notes.c: annotations: what the names in them mean, and that each stands where it says something.
 *
 * Some say something of a rule as a whole, some of one of several alternatives, most of either. */
#include "resolver.h"
#include "similar.h"

/* Bounds that keep lists short enough to be gone through, and that no spec comes near. */
#define NOTE_MAX 1000  /* annotations in one place */
#define ENTRY_MAX 4096 /* of `refine` in one place */

/* What is being annotated. */
typedef struct subject {
    const rule_t *rule;
    const node_t *body;     /* the rule's, or the alternative's */
    bool is_alternative;    /* one of several */
    const ast_notes_t *all; /* notes that stand there */
    const ast_note_t *ast;  /* the note at hand */
} subject_t;

static note_t *new_note(resolver_t *resolver, const ast_note_t *ast)
{
    note_t *note = ARENA_NEW(resolver->arena, note_t);

    note->kind = ast->kind;
    note->place = ast->place;
    note->name = ast->name.text;
    note->is_stream = ast->is_stream;
    note->is_unique = ast->is_unique;
    note->convert = ast->convert;
    return note;
}

/* ---------------------------------------------------------------- registers and queues */

static const reg_t *written_register(resolver_t *resolver, const ast_name_t *name)
{
    declared_t *declared = resolve_register(resolver, name);

    if (!declared)
        return NULL;
    declared->is_written = true;
    return declared->reg;
}

static register_type_t converted_type(const convert_t *convert)
{
    switch (convert->kind) {
    case CONVERT_KEYWORD:
        return REGISTER_KEYWORD;
    case CONVERT_BYTES:
    case CONVERT_UNQUOTE:
        return REGISTER_BYTES;
    default:
        return REGISTER_UINT;
    }
}

static bool resolve_convert(resolver_t *resolver, const subject_t *subject, note_t *note)
{
    static const char *const types[] = {
        [REGISTER_UINT] = "numbers", [REGISTER_KEYWORD] = "keywords", [REGISTER_BYTES] = "bytes"};
    register_type_t wanted = converted_type(note->convert);

    note->reg = written_register(resolver, &subject->ast->reg);
    if (!note->reg || note->reg->type == wanted)
        return note->reg != NULL;
    diag_error(resolver->diag, note->place, "`%s` is no register of %s", note->reg->name, types[wanted]);
    return false;
}

static bool resolve_set(resolver_t *resolver, const subject_t *subject, note_t *note)
{
    note->reg = written_register(resolver, &subject->ast->reg);
    if (!note->reg)
        return false;
    note->expr = resolve_assigned(resolver, note->reg, subject->ast->expr);
    return note->expr != NULL;
}

/* `reset` and `local`. */
static bool resolve_registers_of(resolver_t *resolver, const subject_t *subject, note_t *note)
{
    bool is_right = true;

    for (size_t i = 0; i < subject->ast->regs.count; i++) {
        const declared_t *declared = resolve_register(resolver, &subject->ast->regs.items[i]);
        is_right &= declared != NULL;
        if (declared)
            vec_push(resolver->arena, &note->regs, declared->reg);
        if (declared && note->kind == NOTE_LOCAL && declared->reg->is_shared)
            diag_error(resolver->diag, subject->ast->regs.items[i].place,
                       "`%s` is shared: what one side puts aside, the other would miss", declared->reg->name);
    }
    return is_right;
}

/* The registers that go in and out of a queue are of its type; keywords keep their numbers on the way. */
static bool fits_queue(resolver_t *resolver, declared_queue_t *queue, const reg_t *reg, place_t place)
{
    if (queue->queue->type != reg->type) {
        diag_error(resolver->diag, place, "`%s` and `%s` are not of one type", queue->queue->name, reg->name);
        return false;
    }
    if (!queue->partner)
        queue->partner = reg;
    if (resolve_same_keywords(queue->partner, reg))
        return true;
    diag_error(resolver->diag, place, "`%s` and `%s`, which use this queue, have different keywords",
               queue->partner->name, reg->name);
    return false;
}

static void read_at(declared_t *declared, place_t place)
{
    if (!declared->read.source)
        declared->read = place;
}

/* Either all that goes in and out of a queue has a key, or nothing has; all keys are of one type. */
static bool resolve_key(resolver_t *resolver, const subject_t *subject, note_t *note, declared_queue_t *queue)
{
    declared_t *declared = subject->ast->key.text ? resolve_register(resolver, &subject->ast->key) : NULL;
    bool is_first = !queue->partner;

    if (subject->ast->key.text && !declared)
        return false;
    note->key = declared ? declared->reg : NULL;
    if (declared)
        read_at(declared, subject->ast->key.place);
    if (is_first)
        queue->key = note->key;
    if (!queue->key != !note->key)
        diag_error(resolver->diag, note->place, "`%s` is used with a key in one place and without in another",
                   queue->queue->name);
    else if (note->key && (note->key->type != queue->key->type || !resolve_same_keywords(note->key, queue->key)))
        diag_error(resolver->diag, note->place, "`%s` and `%s`, which are keys of this queue, are not of one type",
                   queue->key->name, note->key->name);
    else if (note->key && note->key->size > queue->queue->key_size)
        queue->queue->key_size = note->key->size;
    queue->queue->is_keyed = note->key != NULL;
    return true;
}

static bool resolve_push_or_pop(resolver_t *resolver, const subject_t *subject, note_t *note)
{
    declared_queue_t *queue = resolve_queue(resolver, &subject->ast->queue);
    declared_t *declared = resolve_register(resolver, &subject->ast->reg);

    if (!queue || !declared || !resolve_key(resolver, subject, note, queue))
        return false;
    if (note->kind == NOTE_POP) {
        declared->is_written = true;
        queue->popped = queue->popped.source ? queue->popped : note->place;
    } else {
        read_at(declared, note->place);
        queue->is_pushed = true;
    }
    note->queue = queue->queue;
    note->reg = declared->reg;
    return fits_queue(resolver, queue, declared->reg, note->place);
}

/* A register of that name, whose keywords are protocols; or a protocol. */
static bool resolve_become(resolver_t *resolver, const subject_t *subject, note_t *note)
{
    note->before = charset_range(0, 255);
    const node_t *before = subject->ast->parts.count ? resolve_node(resolver, subject->ast->parts.items[0]) : NULL;
    if (before && before->kind != NODE_SET) {
        diag_error(resolver->diag, before->place, "this is not one byte, which could tell");
        return false;
    }
    if (before)
        note->before = before->set;
    if (!map_find(&resolver->registers, note->name))
        return true;
    declared_t *declared = resolve_register(resolver, &subject->ast->name);
    read_at(declared, note->place);
    note->reg = declared->reg;
    if (note->reg->type == REGISTER_KEYWORD)
        return true;
    diag_error(resolver->diag, note->place, "`%s` is no register of keywords, which would be names of protocols",
               note->reg->name);
    return false;
}

static bool resolve_expect(resolver_t *resolver, const subject_t *subject, note_t *note)
{
    const ast_name_t *address = &subject->ast->reg, *transport = &subject->ast->transport;
    note->transport = transport->text;
    if (strcmp(transport->text, "tcp") != 0 && strcmp(transport->text, "udp") != 0)
        diag_error(resolver->diag, transport->place, "what is expected comes over `tcp` or `udp`");
    note->is_server = strcmp(address->text, "server") == 0;
    if (!note->is_server && strcmp(address->text, "client") != 0) {
        declared_t *declared = resolve_register(resolver, address);
        if (!declared)
            return false;
        read_at(declared, address->place);
        note->reg = declared->reg;
        if (note->reg->type != REGISTER_UINT && note->reg->type != REGISTER_BYTES)
            diag_error(resolver->diag, address->place, "`%s` is no address: that is a number, or a text", note->reg->name);
    }
    note->expr = resolve_number(resolver, subject->ast->expr);
    return note->expr != NULL;
}

/* ---------------------------------------------------------------- refine */

/* The place of a rule among the elements of a sequence, from 1; 0 if it is none of them. */
static size_t element_number(const node_t *body, const rule_t *rule)
{
    if (body->kind == NODE_RULE)
        return body->rule == rule;
    for (size_t i = 0; body->kind == NODE_SEQUENCE && i < body->children.count; i++)
        if (body->children.items[i]->kind == NODE_RULE && body->children.items[i]->rule == rule)
            return i + 1;
    return 0;
}

/* The rule of an element of the annotated sequence. */
static const rule_t *resolve_element(resolver_t *resolver, const subject_t *subject, const ast_name_t *name,
                                     size_t *number)
{
    definition_t *definition = scope_get(resolver->scope, name);

    if (!definition)
        return NULL;
    *number = element_number(subject->body, definition->rule);
    if (*number)
        return definition->rule;
    diag_error(resolver->diag, name->place, "`%s` is no element of the sequence that is annotated", name->text);
    return NULL;
}

static void add_entry(resolver_t *resolver, note_t *note, const ast_entry_t *ast)
{
    definition_t *definition = scope_get(resolver->scope, &ast->rule);

    if (!definition || note->entries.count > ENTRY_MAX)
        return;
    if (note->entries.count == ENTRY_MAX)
        diag_error(resolver->diag, ast->name.place, "`refine` has %d entries at most", ENTRY_MAX);
    for (size_t i = 0; i < note->entries.count; i++)
        if (name_equal(note->entries.items[i].name, ast->name.text)) {
            diag_error(resolver->diag, ast->name.place, "`%s` is listed twice", ast->name.text);
            return;
        }
    refine_entry_t entry = {.place = ast->name.place,
                            .name = ast->name.text,
                            .rule = resolve_rule(resolver, definition),
                            .is_strict = ast->is_strict};
    vec_push(resolver->arena, &note->entries, entry);
}

/* Several `refine` of one value in one place are one, since a long list needs several lines. */
static bool is_same_refine(const ast_note_t *a, const ast_note_t *b)
{
    return a->kind == NOTE_REFINE && b->kind == NOTE_REFINE && name_equal(a->value.text, b->value.text) &&
           name_equal(a->by.text, b->by.text);
}

static bool is_continuation(const subject_t *subject)
{
    for (size_t i = 0; subject->all->items[i] != subject->ast; i++)
        if (is_same_refine(subject->all->items[i], subject->ast))
            return true;
    return false;
}

static void add_entries(resolver_t *resolver, const subject_t *subject, note_t *note)
{
    for (size_t i = 0; i < subject->all->count && i < NOTE_MAX; i++) {
        const ast_note_t *ast = subject->all->items[i];
        for (size_t k = 0; k < ast->entries.count && is_same_refine(ast, subject->ast); k++)
            add_entry(resolver, note, &ast->entries.items[k]);
    }
}

static bool resolve_refine(resolver_t *resolver, const subject_t *subject, note_t *note)
{
    size_t value_number = 0, by_number = 0;

    note->value = resolve_element(resolver, subject, &subject->ast->value, &value_number);
    note->by = resolve_element(resolver, subject, &subject->ast->by, &by_number);
    add_entries(resolver, subject, note);
    if (!note->value || !note->by)
        return false;
    if (by_number < value_number)
        return true;
    diag_error(resolver->diag, note->place, "`%s` decides how `%s` is read, so it stands before it", note->by->name,
               note->value->name);
    return false;
}

/* ---------------------------------------------------------------- all kinds */

static bool resolve_cut(resolver_t *resolver, const subject_t *subject, note_t *note)
{
    if (!subject->ast->rule.text)
        return true;
    definition_t *definition = scope_get(resolver->scope, &subject->ast->rule);
    if (definition)
        note->rule = resolve_rule(resolver, definition);
    return definition != NULL;
}

/* What is fed is a rule of that name, or another protocol: any name that no rule has. */
/* A name that is no rule's is a protocol's; one that is nearly a rule's may be a mistake. */
static void doubt_protocol(const resolver_t *resolver, const ast_name_t *name)
{
    const scope_t *scope = resolver->scope;
    const char **names = ARENA_ARRAY(resolver->arena, const char *, scope->definitions.count + 1);
    for (size_t i = 0; i < scope->definitions.count; i++)
        names[i] = scope->definitions.items[i]->name;
    const char *likely = similar_almost(name->text, names, scope->definitions.count), *own = resolver->grammar->name;
    if (likely && !(own && strcmp(own, name->text) == 0))
        diag_warning(resolver->diag, name->place, "no rule is called `%s`, so it is a protocol: or is rule `%s` meant?", name->text,
                     likely);
}

static bool resolve_feed(resolver_t *resolver, const subject_t *subject, note_t *note)
{
    definition_t *definition = scope_find(resolver->scope, &subject->ast->name);
    if (!definition)
        doubt_protocol(resolver, &subject->ast->name);
    note->is_datagram = subject->ast->is_datagram;
    note->is_excerpt = subject->ast->is_excerpt;
    note->rule = definition ? resolve_rule(resolver, definition) : NULL;
    return true;
}

static bool resolve_decode(resolver_t *resolver, const subject_t *subject, note_t *note)
{
    declared_t *declared = subject->ast->reg.text ? resolve_register(resolver, &subject->ast->reg) : NULL;
    if (subject->ast->reg.text && !declared)
        return false;
    if (declared)
        read_at(declared, subject->ast->reg.place);
    note->reg = declared ? declared->reg : NULL;
    if (!note->name && note->reg->type != REGISTER_KEYWORD)
        diag_error(resolver->diag, note->place, "`%s` is no register of keywords, which would be names of decoders",
                   note->reg->name);
    return true;
}

static bool resolve_joined(resolver_t *resolver, const subject_t *subject, note_t *note)
{
    for (size_t i = 0; i < subject->ast->regs.count; i++) {
        definition_t *definition = scope_get(resolver->scope, &subject->ast->regs.items[i]);
        if (!definition)
            return false;
        vec_push(resolver->arena, &note->joined, resolve_rule(resolver, definition));
        definition->is_part = true;
    }
    return true;
}

static bool resolve_length(resolver_t *resolver, const subject_t *subject, note_t *note)
{
    note->expr = resolve_number(resolver, subject->ast->expr);
    return note->expr != NULL;
}

/* A name is a register of bytes, or else a rule, which must read one text: until.c sees whether it does. */
static bool resolve_part(resolver_t *resolver, const ast_node_t *ast, until_part_t *part)
{
    part->place = ast->place;
    if (ast->kind != AST_NAME || !map_find(&resolver->registers, ast->text)) {
        part->node = resolve_node(resolver, ast);
        return true;
    }
    declared_t *declared = resolve_register(resolver, &(ast_name_t){.text = ast->text, .place = ast->place});
    part->reg = declared ? declared->reg : NULL;
    if (declared && !declared->read.source)
        declared->read = ast->place;
    if (!part->reg || part->reg->type == REGISTER_BYTES)
        return part->reg != NULL;
    diag_error(resolver->diag, ast->place, "`%s` is no register of bytes", part->reg->name);
    return false;
}

static bool resolve_until(resolver_t *resolver, const subject_t *subject, note_t *note)
{
    bool is_right = true;

    note->is_line = subject->ast->is_line;
    for (size_t i = 0; i < subject->ast->parts.count; i++) {
        until_part_t part = {.reg = NULL};
        is_right &= resolve_part(resolver, subject->ast->parts.items[i], &part);
        vec_push(resolver->arena, &note->parts, part);
    }
    return is_right;
}

static bool resolve_count(resolver_t *resolver, const subject_t *subject, note_t *note)
{
    note->expr = resolve_number(resolver, subject->ast->expr);
    if (subject->body->kind != NODE_REPEAT)
        diag_error(resolver->diag, note->place, "`count` says how often something is repeated: `%s` is no repeat",
                   subject->rule->name);
    return note->expr != NULL;
}

static bool resolve_when(resolver_t *resolver, const subject_t *subject, note_t *note)
{
    note->expr = resolve_condition(resolver, subject->ast->expr);
    return note->expr != NULL;
}

/* False after a complaint: the note is left out. */
static bool resolve_note(resolver_t *resolver, const subject_t *subject, note_t *note)
{
    switch (note->kind) {
    case NOTE_EMIT:
        note->name = note->name ? note->name : subject->rule->name;
        note->separator = subject->ast->separator;
        return !note->separator || resolve_joined(resolver, subject, note);
    case NOTE_CONVERT:
        return resolve_convert(resolver, subject, note);
    case NOTE_SET:
        return resolve_set(resolver, subject, note);
    case NOTE_RESET:
    case NOTE_LOCAL:
        return resolve_registers_of(resolver, subject, note);
    case NOTE_LENGTH:
    case NOTE_AT:
        return resolve_length(resolver, subject, note);
    case NOTE_FEED:
    case NOTE_FINISH:
        return resolve_feed(resolver, subject, note);
    case NOTE_DECODE:
        return resolve_decode(resolver, subject, note);
    case NOTE_COUNT:
        return resolve_count(resolver, subject, note);
    case NOTE_UNTIL:
        return resolve_until(resolver, subject, note);
    case NOTE_WHEN:
        return resolve_when(resolver, subject, note);
    case NOTE_REFINE:
        return resolve_refine(resolver, subject, note);
    case NOTE_CUT:
        return resolve_cut(resolver, subject, note);
    case NOTE_PUSH:
    case NOTE_POP:
        return resolve_push_or_pop(resolver, subject, note);
    case NOTE_BECOME:
        return resolve_become(resolver, subject, note);
    case NOTE_EXPECT:
        return resolve_expect(resolver, subject, note);
    case NOTE_UNTIL_CLOSE:
    case NOTE_ATOMIC:
    case NOTE_ANOMALY:
    case NOTE_RESYNC:
    case NOTE_PART:
    case NOTE_ORDERED:
        break;
    }
    return true;
}

typedef enum { ANYWHERE, ON_RULE, ON_ALTERNATIVE } stand_t;

/* Where, and how often in one place, an annotation may stand. */
static const struct {
    const char *word; /* for messages */
    bool is_single;   /* once at most */
    stand_t stand;    /* on a rule as a whole, on one of several alternatives, or on either */
} places[] = {
    [NOTE_EMIT] = {"emit", true, ANYWHERE},
    [NOTE_CONVERT] = {"=", false, ANYWHERE},
    [NOTE_SET] = {"=", false, ANYWHERE},
    [NOTE_RESET] = {"reset", false, ANYWHERE},
    [NOTE_LOCAL] = {"local", false, ANYWHERE},
    [NOTE_LENGTH] = {"length", true, ANYWHERE},
    [NOTE_COUNT] = {"count", true, ANYWHERE},
    [NOTE_AT] = {"at", true, ANYWHERE},
    [NOTE_UNTIL] = {"until", true, ANYWHERE},
    [NOTE_FEED] = {"feed", true, ANYWHERE},
    [NOTE_FINISH] = {"finish", false, ANYWHERE},
    [NOTE_DECODE] = {"decode", false, ANYWHERE},
    [NOTE_UNTIL_CLOSE] = {"until close", true, ANYWHERE},
    [NOTE_WHEN] = {"when", true, ON_ALTERNATIVE},
    [NOTE_REFINE] = {"refine", false, ANYWHERE},
    [NOTE_CUT] = {"cut", false, ANYWHERE},
    [NOTE_ATOMIC] = {"atomic", true, ANYWHERE},
    [NOTE_ANOMALY] = {"anomaly", true, ANYWHERE},
    [NOTE_PUSH] = {"push", false, ANYWHERE},
    [NOTE_POP] = {"pop", false, ANYWHERE},
    [NOTE_BECOME] = {"become", true, ANYWHERE},
    [NOTE_EXPECT] = {"expect", false, ANYWHERE},
    [NOTE_RESYNC] = {"resync", true, ON_RULE},
    [NOTE_ORDERED] = {"ordered", true, ON_RULE},
};

static bool has_kind(const notes_t *notes, note_kind_t kind)
{
    for (size_t i = 0; i < notes->count; i++)
        if (notes->items[i]->kind == kind)
            return true;
    return false;
}

static bool may_stand_here(resolver_t *resolver, const subject_t *subject, const notes_t *notes)
{
    note_kind_t kind = subject->ast->kind;
    const char *word = places[kind].word;
    bool is_end = kind == NOTE_LENGTH || kind == NOTE_UNTIL || kind == NOTE_UNTIL_CLOSE;
    bool has_end = is_end && !has_kind(notes, kind) &&
                   (has_kind(notes, NOTE_LENGTH) || has_kind(notes, NOTE_UNTIL) || has_kind(notes, NOTE_UNTIL_CLOSE));

    if (places[kind].is_single && has_kind(notes, kind))
        diag_error(resolver->diag, subject->ast->place, "a second `%s` for `%s`", word, subject->rule->name);
    else if (has_end)
        diag_error(resolver->diag, subject->ast->place, "`%s` ends by one of `length`, `until` and `until close`",
                   subject->rule->name);
    else if (places[kind].stand == ON_ALTERNATIVE && !subject->is_alternative)
        diag_error(resolver->diag, subject->ast->place, "`%s` is said of one alternative, not of all: it stands on a line with that alone", word);
    else if (places[kind].stand == ON_RULE && subject->is_alternative)
        diag_error(resolver->diag, subject->ast->place,
                   "`%s` is said of a rule, not of one alternative: it stands on a line of its own", word);
    else
        return true;
    return false;
}

static void check_decoders(resolver_t *resolver, const notes_t *notes)
{
    for (size_t i = 0; i < notes->count && !has_kind(notes, NOTE_FEED); i++)
        if (notes->items[i]->kind == NOTE_DECODE)
            diag_error(resolver->diag, notes->items[i]->place, "`decode` stands beside the `feed` whose bytes it decodes");
}

void resolve_notes(resolver_t *resolver, const rule_t *rule, const node_t *body, bool is_alternative,
                   const ast_notes_t *ast, notes_t *notes)
{
    for (size_t i = 0; i < ast->count; i++) {
        if (i == NOTE_MAX) {
            diag_error(resolver->diag, ast->items[i]->place, "more than %d annotations for `%s`", NOTE_MAX, rule->name);
            return;
        }
        subject_t subject = {
            .rule = rule, .body = body, .is_alternative = is_alternative, .all = ast, .ast = ast->items[i]};
        note_t *note = new_note(resolver, subject.ast);
        if (is_continuation(&subject) || !may_stand_here(resolver, &subject, notes))
            continue;
        if (resolve_note(resolver, &subject, note))
            vec_push(resolver->arena, notes, note);
    }
    check_decoders(resolver, notes);
}
