/* extract.c: the ABNF in the plain text of an RFC.
 *
 * A line that begins with a name and `=` may begin a rule; the lines behind it that are indented more, and have nothing
 * but ABNF in them, may go on with it, over empty lines and pages where the rule is not complete or the line begins as
 * only a rule's can. If the parser of specs can read what was found, it is a rule. Prose, figures and lines of programs
 * can not be read, with few exceptions.
 *
 * Many RFCs collect their rules in an appendix. A rule that says the same again is left out. What looks like a rule and
 * is not taken for one, though it may be, is kept as a comment:
 *
 *     a rule that says something else than an earlier one of its name
 *     what could not be read, if other rules need it
 *     `charset = utf-8`: names that nothing defines, for a name that nothing uses */
#include "extract.h"

#include <ctype.h>

#include "map.h"
#include "rfc_text.h"
#include "scope.h"
#include "spec.h"
#include "spec_lexer.h"
#include "spec_parser.h"

#define TRIMMED_MAX 8 /* lines that are taken off the end of what cannot be read */
#define WIDTH 100     /* of the list of names */

/* No RFC comes near these: what is longer is no rule. */
#define LINE_MAX_LEN 500
#define LINES_MAX 1000

typedef enum { FOUND_RULE, FOUND_AGAIN, FOUND_OTHER, FOUND_EXAMPLE, FOUND_UNREADABLE } found_kind_t;

/* What may be a rule. */
typedef struct found {
    found_kind_t kind;
    size_t first, begin, end; /* lines: of the comment above it, of its name, behind its last */
    const char *name;         /* as spelled here */
    const ast_rule_t *rule;   /* NULL: it is unreadable */
} found_t;

typedef struct extracting {
    arena_t *arena;            /* of the extraction */
    const rfc_text_t *rfc;     /* what is gone through */
    VEC(found_t) found;        /* in the order of the text */
    map_t rules;               /* ignoring case: names of rules, here and in RFC 5234, B.1 → anything */
    map_t defined;             /* ignoring case: names of rules with `=` here → anything */
    map_t printed;             /* rules as text → anything */
    map_t users;               /* ignoring case: names that some other rule needs → anything */
    VEC(const char *) missing; /* names that rules need and nothing defines, in order */
} extracting_t;

/* ---------------------------------------------------------------- lines of a rule */

/* What the ABNF of some lines amounts to. */
typedef struct shape {
    int depth;     /* parentheses that are open */
    int last;      /* token; 0: none */
    bool is_wrong; /* it is no ABNF */
} shape_t;

static void add_to_shape(arena_t *arena, shape_t *shape, const rfc_line_t *line)
{
    size_t len = strlen(line->text);
    diag_t *diag = diag_new(arena);
    tokens_t tokens = {.count = 0};
    comments_t comments = {.count = 0};

    shape->is_wrong = line->indent + len > LINE_MAX_LEN;
    if (shape->is_wrong)
        return;
    lex_rules(arena, source_new(arena, "", line->text, len), diag, &tokens, &comments);
    shape->is_wrong = diag_has_errors(diag);
    for (size_t i = 0; i + 1 < tokens.count; i++) { /* the last is the end */
        int kind = shape->last = tokens.items[i].kind;
        shape->depth += kind == TOKEN_OPEN || kind == TOKEN_OPEN_OPTION;
        shape->depth -= kind == TOKEN_CLOSE || kind == TOKEN_CLOSE_OPTION;
    }
}

static bool is_complete(const shape_t *shape)
{
    static const int leading[] = {TOKEN_IS, TOKEN_ADDS, TOKEN_OR_ELSE, TOKEN_REPEAT, TOKEN_LIST};

    for (size_t i = 0; i < sizeof leading / sizeof *leading; i++)
        if (shape->last == leading[i])
            return false;
    return shape->depth <= 0;
}

/* The length of the name that the line begins with; 0 if none. */
static size_t name_len(const rfc_line_t *line)
{
    size_t len = 0;

    while (isalnum((unsigned char)line->text[len]) || (len && strchr("-_", line->text[len]) && line->text[len]))
        len++;
    return isalpha((unsigned char)line->text[0]) ? len : 0;
}

/* The offset of what is behind `=` or `=/`, where there may be a rule's elements; 0 if there is no such sign. */
static size_t behind_sign(const char *text, size_t at)
{
    at += strspn(text + at, " ");
    if (text[at] != '=' || (text[at + 1] && strchr("=>", text[at + 1])))
        return 0;
    at += text[at + 1] == '/' ? 2 : 1;
    return at + strspn(text + at, " ");
}

/* Whether line `i` begins with a name and `=`, which may be on the next line. */
static bool begins_rule(const extracting_t *x, size_t i)
{
    const rfc_line_t *line = &x->rfc->lines.items[i];
    size_t len = name_len(line);

    if (!len)
        return false;
    if (!line->text[len] && i + 1 < x->rfc->lines.count && line[1].gap == GAP_NONE && line[1].indent > line->indent)
        return behind_sign(line[1].text, 0) != 0;
    return behind_sign(line->text, len) != 0;
}

/* Whether line `i` goes on with the rule from line `begin` on, of which `shape` is the shape up to here. */
static bool goes_on(const extracting_t *x, size_t begin, size_t i, const shape_t *shape)
{
    const rfc_line_t *name = &x->rfc->lines.items[begin], *line = &x->rfc->lines.items[i];
    size_t elements = name->indent + behind_sign(name->text, name_len(name));

    if (line->indent <= name->indent || begins_rule(x, i) || i - begin > LINES_MAX)
        return false;
    if (line->gap == GAP_NONE || !is_complete(shape) || strchr("/|;", line->text[0]))
        return true;
    return line->gap == GAP_PAGE && (line->indent == elements || (i - 1 > begin && line->indent == line[-1].indent));
}

/* Writes lines as far to the left as they go, relative to each other. */
static void join_lines(const extracting_t *x, size_t begin, size_t end, const char *prefix, text_t *text)
{
    unsigned margin = x->rfc->lines.items[end - 1].indent;

    for (size_t i = begin; i < end; i++)
        if (x->rfc->lines.items[i].indent < margin)
            margin = x->rfc->lines.items[i].indent;
    for (size_t i = begin; i < end; i++) {
        const rfc_line_t *line = &x->rfc->lines.items[i];
        text_print(text, "%s%*s%s\n", prefix, (int)(line->indent - margin), "", line->text);
    }
}

/* The only rule in some lines; NULL if they are something else. */
static const ast_rule_t *parse_lines(const extracting_t *x, size_t begin, size_t end)
{
    diag_t *diag = diag_new(x->arena);
    text_t text;

    text_init(&text, x->arena);
    join_lines(x, begin, end, "", &text);
    const ast_t *ast = spec_parse(x->arena, source_new(x->arena, "", text.bytes, text.len), diag);
    return !diag_has_errors(diag) && ast->rules.count == 1 ? ast->rules.items[0] : NULL;
}

/* ---------------------------------------------------------------- finding */

/* The first line of the comment that ends above line `begin`. Annotations are not made up here. */
static size_t comment_above(const extracting_t *x, size_t begin, size_t from)
{
    const rfc_line_t *lines = x->rfc->lines.items;

    while (begin > from && lines[begin].gap == GAP_NONE && lines[begin - 1].text[0] == ';' &&
           lines[begin - 1].text[1] != '@')
        begin--;
    return begin;
}

/* What may be a rule from line `begin` on; lines before `from` are taken. */
static found_t find_rule(const extracting_t *x, size_t begin, size_t from)
{
    const rfc_line_t *line = &x->rfc->lines.items[begin];
    found_t found = {.kind = FOUND_UNREADABLE, .first = comment_above(x, begin, from), .begin = begin, .end = begin + 1};
    shape_t shape = {.last = 0};

    found.name = arena_copy(x->arena, line->text, name_len(line));
    add_to_shape(x->arena, &shape, line);
    if (!line->text[strlen(found.name)]) /* its `=` is on the next line */
        add_to_shape(x->arena, &shape, &x->rfc->lines.items[found.end++]);
    while (!shape.is_wrong && found.end < x->rfc->lines.count && goes_on(x, begin, found.end, &shape)) {
        shape_t longer = shape;
        add_to_shape(x->arena, &longer, &x->rfc->lines.items[found.end]);
        if (longer.is_wrong)
            break;
        shape = longer;
        found.end++;
    }
    for (size_t end = found.end; !shape.is_wrong && !found.rule && end > begin && found.end - end < TRIMMED_MAX; end--)
        if ((found.rule = parse_lines(x, begin, end))) {
            found.kind = FOUND_RULE;
            found.end = end;
            break;
        }
    while (!found.rule && found.end < x->rfc->lines.count && line[found.end - begin].gap == GAP_NONE &&
           line[found.end - begin].indent > line->indent)
        found.end++; /* for people */
    return found;
}

static void find_rules(extracting_t *x)
{
    size_t from = 0;

    for (size_t i = 0; i < x->rfc->lines.count; i++) {
        if (!begins_rule(x, i))
            continue;
        found_t found = find_rule(x, i, from);
        vec_push(x->arena, &x->found, found);
        from = found.rule ? found.end : i + 1;
        i = from - 1;
    }
}

/* ---------------------------------------------------------------- judging */

static const char *print_rule(const extracting_t *x, const ast_rule_t *rule)
{
    ast_t ast = {.source = rule->name.place.source};
    text_t text;

    text_init(&text, x->arena);
    vec_push(x->arena, &ast.rules, (ast_rule_t *)rule);
    ast_print(&ast, &text);
    return text.bytes;
}

/* Is it there already? Then it says the same, or something else. */
static void judge_repeated(extracting_t *x, found_t *found)
{
    const char *text = print_rule(x, found->rule);

    if (map_find(&x->printed, text))
        found->kind = FOUND_AGAIN;
    else if (!found->rule->is_addition && map_find(&x->defined, found->name))
        found->kind = FOUND_OTHER;
    if (!found->rule->is_addition)
        map_put(&x->defined, found->name, found);
    map_put(&x->rules, found->name, found);
    map_put(&x->printed, text, found);
}

/* What is to be done with a name in a rule. */
typedef void use_t(extracting_t *x, found_t *by, const char *name);

static void each_name(extracting_t *x, found_t *by, const ast_node_t *node, use_t *use)
{
    if (node->kind == AST_NAME)
        use(x, by, node->text);
    for (size_t i = 0; i < node->children.count; i++)
        each_name(x, by, node->children.items[i], use);
}

static void each_name_of_rules(extracting_t *x, use_t *use)
{
    for (size_t i = 0; i < x->found.count; i++) {
        found_t *found = &x->found.items[i];
        for (size_t k = 0; found->kind == FOUND_RULE && k < found->rule->alternatives.count; k++)
            each_name(x, found, found->rule->alternatives.items[k].node, use);
    }
}

static void add_user(extracting_t *x, found_t *by, const char *name)
{
    if (!name_equal(by->name, name))
        map_put(&x->users, name, by);
}

/* Whether everything in a node is a name that nothing defines. */
static bool is_unknown(const extracting_t *x, const ast_node_t *node)
{
    bool is_all = node->kind == AST_NAME ? !map_find(&x->rules, node->text) : node->children.count > 0;

    for (size_t i = 0; i < node->children.count && is_all; i++)
        is_all = is_unknown(x, node->children.items[i]);
    return is_all;
}

static bool is_example(const extracting_t *x, const found_t *found)
{
    bool is_all = !found->rule->is_addition && !map_find(&x->users, found->name);

    for (size_t i = 0; i < found->rule->alternatives.count && is_all; i++)
        is_all = is_unknown(x, found->rule->alternatives.items[i].node);
    return is_all;
}

static void judge(extracting_t *x)
{
    const ast_t *core = scope_core_rules(x->arena, diag_new(x->arena));

    for (size_t i = 0; i < x->found.count; i++)
        if (x->found.items[i].rule)
            judge_repeated(x, &x->found.items[i]);
    for (size_t i = 0; i < core->rules.count; i++)
        if (!map_find(&x->rules, core->rules.items[i]->name.text))
            map_put(&x->rules, core->rules.items[i]->name.text, core->rules.items[i]);
    each_name_of_rules(x, add_user);
    for (size_t i = 0; i < x->found.count; i++)
        if (x->found.items[i].kind == FOUND_RULE && is_example(x, &x->found.items[i]))
            x->found.items[i].kind = FOUND_EXAMPLE;
}

/* ---------------------------------------------------------------- writing */

static const char *place_text(const extracting_t *x, const found_t *found)
{
    const char *section = x->rfc->lines.items[found->begin].section;

    if (!*x->rfc->number)
        return *section ? arena_print(x->arena, "Section %s", section) : "";
    return arena_print(x->arena, "RFC %s%s%s", x->rfc->number, *section ? ", " : "", section);
}

static bool is_written(const extracting_t *x, const found_t *found)
{
    if (found->kind == FOUND_UNREADABLE)
        return map_find(&x->users, found->name) && !map_find(&x->rules, found->name);
    return found->kind != FOUND_AGAIN;
}

static void write_found(const extracting_t *x, const found_t *found, text_t *text)
{
    static const char *const remarks[] = {
        [FOUND_OTHER] = "again, and different",
        [FOUND_EXAMPLE] = "probably an example",
        [FOUND_UNREADABLE] = "this could not be read",
    };

    if (found->kind != FOUND_RULE)
        text_print(text, "; %s:\n", remarks[found->kind]);
    join_lines(x, found->first, found->end, found->kind == FOUND_RULE ? "" : ";     ", text);
}

static void add_missing(extracting_t *x, found_t *by, const char *name)
{
    (void)by;
    if (map_find(&x->rules, name))
        return;
    map_put(&x->rules, name, x); /* once is enough */
    vec_push(x->arena, &x->missing, name);
}

/* What other specs must have. */
static void write_missing(extracting_t *x, text_t *text)
{
    size_t column = SIZE_MAX;

    each_name_of_rules(x, add_missing);
    for (size_t i = 0; i < x->missing.count; i++) {
        const char *name = x->missing.items[i];
        if (column == SIZE_MAX || column + 1 + strlen(name) > WIDTH) {
            text_print(text, column == SIZE_MAX ? "\n; Not defined here:" : "\n;    ");
            column = strlen("; Not defined here:");
        }
        text_print(text, " %s", name);
        column += 1 + strlen(name);
    }
    text_print(text, x->missing.count ? "\n" : "");
}

bool extract(arena_t *arena, const source_t *source, text_t *text)
{
    extracting_t x = {.arena = arena, .rfc = rfc_text_read(arena, source)};
    const char *place = "";
    bool has_rules = false;

    x.rules.arena = x.defined.arena = x.printed.arena = x.users.arena = arena;
    x.rules.is_case_ignored = x.defined.is_case_ignored = x.users.is_case_ignored = true;
    find_rules(&x);
    judge(&x);
    for (size_t i = 0; i < x.found.count; i++) {
        const found_t *found = &x.found.items[i];
        if (!is_written(&x, found))
            continue;
        if (strcmp(place, place_text(&x, found)) != 0) { /* a heading */
            place = place_text(&x, found);
            text_print(text, "%s; %s\n", text->len ? "\n" : "", place);
        }
        write_found(&x, found, text);
        has_rules |= found->kind == FOUND_RULE;
    }
    write_missing(&x, text);
    return has_rules;
}
