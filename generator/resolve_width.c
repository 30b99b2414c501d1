/* resolve_width.c: how many bytes rules read, as far as binary numbers depend on it.
 *
 * `be16` is a number of two bytes: what it is said of must read exactly two, whatever they are. The extent of a rule is the
 * least and the most that it can read, both cut off at EXTENT_MAX, behind which nobody asks. */
#include "resolver.h"

#define EXTENT_MAX 9u /* more than the widest number */

typedef struct extent {
    unsigned least, most;
    bool is_known; /* has been worked out, or is being: a rule within itself reads any number */
} extent_t;

typedef struct measure {
    resolver_t *resolver; /* whose rules are measured */
    extent_t *extents;    /* of rules by index */
} measure_t;

static unsigned cut_off(uint64_t number)
{
    return number < EXTENT_MAX ? (unsigned)number : EXTENT_MAX;
}

static extent_t extent_of(measure_t *measure, const node_t *node);

static const note_t *find_note(const notes_t *notes, note_kind_t kind)
{
    for (size_t i = 0; i < notes->count; i++)
        if (notes->items[i]->kind == kind)
            return notes->items[i];
    return NULL;
}

/* What is annotated reads what its body does, unless it has a length of its own. */
static extent_t extent_with(const notes_t *notes, extent_t body)
{
    const note_t *length = find_note(notes, NOTE_LENGTH);
    extent_t any = {0, EXTENT_MAX, true};

    if (length && length->expr->kind == EXPR_NUMBER)
        return (extent_t){cut_off(length->expr->number), cut_off(length->expr->number), true};
    return length || find_note(notes, NOTE_UNTIL_CLOSE) || find_note(notes, NOTE_REFINE) ? any : body;
}

static extent_t extent_of_rule(measure_t *measure, const rule_t *rule)
{
    extent_t *extent = &measure->extents[rule->index];

    if (!extent->is_known) {
        *extent = (extent_t){0, EXTENT_MAX, true};
        *extent = extent_with(&rule->notes, extent_of(measure, rule->body));
    }
    return *extent;
}

static extent_t extent_of_choice(measure_t *measure, const node_t *node)
{
    extent_t extent = extent_of(measure, node->children.items[0]);

    for (size_t i = 1; i < node->children.count; i++) {
        extent_t other = extent_of(measure, node->children.items[i]);
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
        extent.least = cut_off(extent.least + part.least);
        extent.most = cut_off(extent.most + part.most);
    }
    return extent;
}

static extent_t extent_of_repeat(measure_t *measure, const node_t *node)
{
    extent_t part = extent_of(measure, node->children.items[0]);

    return (extent_t){cut_off((uint64_t)node->min * part.least), cut_off((uint64_t)node->max * part.most), true};
}

static extent_t extent_of(measure_t *measure, const node_t *node)
{
    extent_t extent = {0, 0, true};

    switch (node->kind) {
    case NODE_EMPTY:
        break;
    case NODE_SET:
        extent.least = extent.most = 1;
        break;
    case NODE_STRING:
        extent.least = extent.most = cut_off(node->len);
        break;
    case NODE_SEQUENCE:
        extent = extent_of_sequence(measure, node);
        break;
    case NODE_CHOICE:
        extent = extent_of_choice(measure, node);
        break;
    case NODE_REPEAT:
        extent = extent_of_repeat(measure, node);
        break;
    case NODE_RULE:
        extent = extent_of_rule(measure, node->rule);
        break;
    }
    return extent_with(&node->notes, extent);
}

static void check(measure_t *measure, const notes_t *notes, extent_t extent)
{
    for (size_t i = 0; i < notes->count; i++) {
        const note_t *note = notes->items[i];
        unsigned width = note->kind == NOTE_CONVERT ? note->convert->width : 0;
        if (width && (extent.least != width || extent.most != width))
            diag_error(measure->resolver->diag, note->place, "`%s` is said of what reads exactly %u byte%s",
                       note->convert->word, width, width == 1 ? "" : "s");
    }
}

void resolve_check_widths(resolver_t *resolver)
{
    measure_t measure = {.resolver = resolver,
                         .extents = ARENA_ARRAY(resolver->arena, extent_t, resolver->wanted.count + 1)};

    for (size_t i = 0; i < resolver->wanted.count; i++) {
        const rule_t *rule = resolver->wanted.items[i]->rule;
        check(&measure, &rule->notes, extent_of_rule(&measure, rule));
        for (size_t k = 0; rule->body->kind == NODE_CHOICE && k < rule->body->children.count; k++)
            check(&measure, &rule->body->children.items[k]->notes, extent_of(&measure, rule->body->children.items[k]));
    }
}
