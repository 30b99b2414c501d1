/* resolve_width.c: how many bytes rules read, as far as annotations depend on it.
 *
 * `be16` is a number of two bytes: what it is said of must read exactly two, whatever they are. What has a `length` must be able
 * to read so many bytes. The extent of a rule is the least and the most that it can read; of an expression, the least and the
 * most that it can be worth. */
#include "resolver.h"

#define ANY UINT64_MAX /* as the most: there is no bound */

typedef struct extent {
    uint64_t least, most;
    bool is_known; /* has been worked out, or is being: a rule within itself reads any number */
} extent_t;

typedef struct worth {
    const reg_t *reg;
    uint64_t most;
} worth_t;

typedef struct measure {
    resolver_t *resolver; /* whose rules are measured */
    extent_t *extents;    /* of rules by index */
    VEC(worth_t) worths;  /* of registers that have been asked for */
} measure_t;

static uint64_t plus(uint64_t a, uint64_t b)
{
    return a > ANY - b ? ANY : a + b;
}

static uint64_t minus(uint64_t a, uint64_t b)
{
    return a == ANY ? ANY : a < b ? 0 : a - b;
}

static uint64_t times(uint64_t a, uint64_t b)
{
    return a && b > ANY / a ? ANY : a * b;
}

static const note_t *find_note(const notes_t *notes, note_kind_t kind)
{
    for (size_t i = 0; i < notes->count; i++)
        if (notes->items[i]->kind == kind)
            return notes->items[i];
    return NULL;
}

/* ---------------------------------------------------------------- expressions */

/* The most that the notes set a register to. */
static uint64_t most_in(const notes_t *notes, const reg_t *reg)
{
    uint64_t most = 0;

    for (size_t i = 0; i < notes->count; i++) {
        const note_t *note = notes->items[i];
        if (note->reg != reg || (note->kind != NOTE_CONVERT && note->kind != NOTE_SET && note->kind != NOTE_POP))
            continue;
        unsigned width = note->kind == NOTE_CONVERT ? note->convert->width : 0;
        uint64_t here = width && width < sizeof here ? ((uint64_t)1 << 8 * width) - 1 : ANY;
        most = here > most ? here : most;
    }
    return most;
}

static uint64_t most_of(measure_t *measure, const reg_t *reg)
{
    worth_t worth = {.reg = reg};

    for (size_t i = 0; i < measure->worths.count; i++)
        if (measure->worths.items[i].reg == reg)
            return measure->worths.items[i].most;
    for (size_t i = 0; i < measure->resolver->wanted.count; i++) {
        const rule_t *rule = measure->resolver->wanted.items[i]->rule;
        uint64_t most = most_in(&rule->notes, reg);
        for (size_t k = 0; k < rule->body->children.count; k++) {
            uint64_t here = most_in(&rule->body->children.items[k]->notes, reg);
            most = here > most ? here : most;
        }
        worth.most = most > worth.most ? most : worth.most;
    }
    worth.most = worth.most ? worth.most : ANY; /* nothing sets it: that is another complaint */
    vec_push(measure->resolver->arena, &measure->worths, worth);
    return worth.most;
}

static extent_t extent_of_expr(measure_t *measure, const expr_t *expr)
{
    extent_t none = {0}, left = expr->left ? extent_of_expr(measure, expr->left) : none;
    extent_t right = expr->right ? extent_of_expr(measure, expr->right) : none;

    switch (expr->kind) {
    case EXPR_NUMBER:
        return (extent_t){expr->number, expr->number, true};
    case EXPR_REGISTER:
        return (extent_t){0, most_of(measure, expr->reg), true};
    case EXPR_ADD:
        return (extent_t){plus(left.least, right.least), plus(left.most, right.most), true};
    case EXPR_SUB:
        return (extent_t){right.most == ANY ? 0 : minus(left.least, right.most), minus(left.most, right.least), true};
    case EXPR_MUL:
        return (extent_t){times(left.least, right.least), times(left.most, right.most), true};
    case EXPR_AND_BITS:
        return (extent_t){0, left.most < right.most ? left.most : right.most, true};
    default:
        return (extent_t){0, ANY, true};
    }
}

/* ---------------------------------------------------------------- nodes */

static extent_t extent_of(measure_t *measure, const node_t *node);

/* What is annotated reads what its body does, unless it has an extent of its own. */
static extent_t extent_with(measure_t *measure, const notes_t *notes, extent_t body)
{
    const note_t *length = find_note(notes, NOTE_LENGTH);
    extent_t any = {0, ANY, true};

    if (length)
        return extent_of_expr(measure, length->expr);
    if (find_note(notes, NOTE_UNTIL)) /* and what ends it */
        body.most = ANY;
    return find_note(notes, NOTE_UNTIL_CLOSE) || find_note(notes, NOTE_COUNT) || find_note(notes, NOTE_REFINE) ? any : body;
}

/* `at`: the bytes are not here. */
static extent_t extent_here(const notes_t *notes, extent_t extent)
{
    return find_note(notes, NOTE_AT) ? (extent_t){0, 0, true} : extent;
}

static extent_t extent_of_rule(measure_t *measure, const rule_t *rule)
{
    extent_t *extent = &measure->extents[rule->index];

    if (!extent->is_known) {
        *extent = (extent_t){0, ANY, true};
        *extent = extent_with(measure, &rule->notes, extent_of(measure, rule->body));
    }
    return *extent;
}

static extent_t extent_of_choice(measure_t *measure, const node_t *node)
{
    const node_t *first = node->children.items[0];
    extent_t extent = extent_here(&first->notes, extent_of(measure, first));

    for (size_t i = 1; i < node->children.count; i++) {
        const node_t *alternative = node->children.items[i];
        extent_t other = extent_here(&alternative->notes, extent_of(measure, alternative));
        extent.least = other.least < extent.least ? other.least : extent.least;
        extent.most = other.most > extent.most ? other.most : extent.most;
    }
    return extent;
}

static extent_t extent_of_sequence(measure_t *measure, const node_t *node)
{
    extent_t extent = {0, 0, true};

    for (size_t i = 0; i < node->children.count; i++) {
        extent_t part = extent_of(measure, node->children.items[i]);
        extent.least = plus(extent.least, part.least);
        extent.most = plus(extent.most, part.most);
    }
    return extent;
}

static extent_t extent_of_repeat(measure_t *measure, const node_t *node)
{
    extent_t part = extent_of(measure, node->children.items[0]);
    uint64_t max = node->max == REPEAT_UNBOUNDED ? ANY : node->max;

    return (extent_t){times(node->min, part.least), times(max, part.most), true};
}

/* Without the node's own annotations. */
static extent_t extent_of_body(measure_t *measure, const node_t *node)
{
    switch (node->kind) {
    case NODE_EMPTY:
        break;
    case NODE_SET:
        return (extent_t){1, 1, true};
    case NODE_STRING:
        return (extent_t){node->len, node->len, true};
    case NODE_SEQUENCE:
        return extent_of_sequence(measure, node);
    case NODE_CHOICE:
        return extent_of_choice(measure, node);
    case NODE_REPEAT:
        return extent_of_repeat(measure, node);
    case NODE_RULE:
        return extent_here(&node->rule->notes, extent_of_rule(measure, node->rule));
    }
    return (extent_t){0, 0, true};
}

static extent_t extent_of(measure_t *measure, const node_t *node)
{
    return extent_with(measure, &node->notes, extent_of_body(measure, node));
}

/* ---------------------------------------------------------------- checks */

/* "2 to 4 bytes" */
static const char *extent_text(arena_t *arena, extent_t extent)
{
    unsigned long long least = extent.least, most = extent.most;

    if (extent.least == extent.most)
        return arena_print(arena, "exactly %llu byte%s", least, least == 1 ? "" : "s");
    if (extent.most == ANY)
        return arena_print(arena, "at least %llu byte%s", least, least == 1 ? "" : "s");
    if (extent.least == 0)
        return arena_print(arena, "at most %llu byte%s", most, most == 1 ? "" : "s");
    return arena_print(arena, "%llu to %llu bytes", least, most);
}

/* `extent` is with the notes, `body` without them. */
static void check(measure_t *measure, const rule_t *rule, const notes_t *notes, extent_t extent, extent_t body)
{
    arena_t *arena = measure->resolver->arena;

    for (size_t i = 0; i < notes->count; i++) {
        const note_t *note = notes->items[i];
        unsigned width = note->kind == NOTE_CONVERT ? note->convert->width : 0;
        if (width && (extent.least != width || extent.most != width))
            diag_error(measure->resolver->diag, note->place, "`%s` is said of what reads exactly %u byte%s",
                       note->convert->word, width, width == 1 ? "" : "s");
        if (note->kind == NOTE_LENGTH && (extent.least > body.most || extent.most < body.least)) {
            diag_error(measure->resolver->diag, note->expr->place, "`%s` cannot have this length", rule->name);
            diag_note(measure->resolver->diag, "it reads %s, and this is %s", extent_text(arena, body), extent_text(arena, extent));
        }
    }
}

void resolve_check_widths(resolver_t *resolver)
{
    measure_t measure = {.resolver = resolver,
                         .extents = ARENA_ARRAY(resolver->arena, extent_t, resolver->wanted.count + 1)};

    for (size_t i = 0; i < resolver->wanted.count; i++) {
        const rule_t *rule = resolver->wanted.items[i]->rule;
        check(&measure, rule, &rule->notes, extent_of_rule(&measure, rule), extent_of(&measure, rule->body));
        for (size_t k = 0; rule->body->kind == NODE_CHOICE && k < rule->body->children.count; k++) {
            const node_t *node = rule->body->children.items[k];
            check(&measure, rule, &node->notes, extent_of(&measure, node), extent_of_body(&measure, node));
        }
    }
}
