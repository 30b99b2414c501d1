/* spec.c: from spec files to syntax trees.
 *
 * The parser makes the tree of the rules; this file hangs on it what stands in comments:
 *
 *     ;@ protocol NAME                  column one: a directive
 *     a = b          ;@ emit            the line has tokens of exactly one alternative: that alternative
 *       / c ;@ cut
 *     d = e / f      ;@ emit            of several: the rule
 *       ;@ atomic                       of none: the rule
 *
 * and the section of an RFC that a plain comment gives. Then it loads what the file imports. */
#include "spec.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "map.h"
#include "source.h"
#include "spec_lexer.h"
#include "spec_parser.h"

/* ---------------------------------------------------------------- where annotations belong */

/* The last rule that begins before `offset`, from rule number *at on, which moves there. NULL before the first. */
static ast_rule_t *rule_before(const ast_t *ast, size_t *at, size_t offset)
{
    while (*at < ast->rules.count && ast->rules.items[*at]->name.place.offset < offset)
        (*at)++;
    return *at ? ast->rules.items[*at - 1] : NULL;
}

/* The only alternative of the rule that has tokens between two offsets; NULL if there are several, or none. */
static ast_alternative_t *only_alternative(const ast_rule_t *rule, size_t begin, size_t end)
{
    ast_alternative_t *found = NULL;

    for (size_t i = 0; i < rule->alternatives.count; i++) {
        ast_alternative_t *alternative = &rule->alternatives.items[i];
        const place_t *place = &alternative->node->place;
        if (place->offset >= end || place->offset + place->len <= begin)
            continue;
        if (found)
            return NULL;
        found = alternative;
    }
    return found;
}

static ast_notes_t *notes_at(ast_rule_t *rule, const comment_t *comment)
{
    size_t line = source_line_begin(comment->place.source, comment->place.offset);
    ast_alternative_t *alternative = comment->is_first ? NULL : only_alternative(rule, line, comment->place.offset);

    return alternative ? &alternative->notes : &rule->notes;
}

static void attach_annotations(arena_t *arena, ast_t *ast, const comments_t *comments, diag_t *diag)
{
    size_t at = 0;

    for (size_t i = 0; i < comments->count; i++) {
        const comment_t *comment = &comments->items[i];
        ast_rule_t *rule = rule_before(ast, &at, comment->place.offset);
        tokens_t tokens = {.count = 0};

        if (!comment->is_annotation)
            continue;
        lex_annotation(arena, comment, diag, &tokens);
        if (comment->is_directive)
            parse_directive(arena, &tokens, ast, diag);
        else if (rule)
            parse_notes(arena, &tokens, notes_at(rule, comment), diag);
        else
            diag_error(diag, comment->place, "there is no rule above; a directive of the file stands in column one");
    }
}

/* ---------------------------------------------------------------- sections
 *
 * note [where sections stand]: a comment of its own line that begins "RFC 1234, 5.6", "Section 5.6" or "Appendix A"
 * gives the section of all rules up to the next such comment. A comment beside a rule's name gives that rule's, in the
 * same words or as its last word (`; 5.6`). The RFC is the one that was named last at the beginning of a comment. */

typedef struct citation {
    const char *rfc;     /* "RFC 1234", or NULL */
    const char *section; /* "3.2.2", "B.1", or NULL */
} citation_t;

/* The length of `3`, `3.2.2`, `B.1` at the start of text; 0 if there is no section number. */
static size_t section_len(const char *text)
{
    size_t len = isupper((unsigned char)text[0]) && text[1] == '.' && isdigit((unsigned char)text[2]) ? 2 : 0;

    while (isdigit((unsigned char)text[len]) || (len && text[len] == '.' && isdigit((unsigned char)text[len + 1])))
        len++;
    return len;
}

static const char *skip_any(const char *text, const char *bytes)
{
    return text + strspn(text, bytes);
}

static const char *skip_word(const char *text, const char *word)
{
    size_t len = strlen(word);

    return strncmp(text, word, len) == 0 ? skip_any(text + len, " \t") : text;
}

/* What a comment begins with. */
static citation_t read_citation(arena_t *arena, const char *text)
{
    citation_t citation = {.rfc = NULL};
    const char *begin = skip_any(text, "; \t-"); /* a line of dashes is a headline */
    const char *at = skip_word(begin, "RFC");
    size_t rfc_len = at > begin ? strspn(at, "0123456789") : 0;

    if (rfc_len)
        citation.rfc = arena_print(arena, "RFC %.*s", (int)rfc_len, at);
    at = skip_word(skip_word(skip_any(at + rfc_len, ", \t"), "Section"), "Appendix");
    size_t len = at > begin ? section_len(at) : 0;
    if (at > begin && isupper((unsigned char)at[0]) && !isalnum((unsigned char)at[1]) && !len)
        len = 1; /* "Appendix A" */
    if (len)
        citation.section = arena_copy(arena, at, len);
    return citation;
}

/* The section that is the last word of a comment beside a rule. */
static const char *last_word_section(arena_t *arena, const char *text)
{
    size_t end = strlen(text), begin;

    while (end && strchr(" \t.", text[end - 1]))
        end--;
    for (begin = end; begin && !strchr(" \t;", text[begin - 1]);)
        begin--;
    return end > begin && section_len(text + begin) == end - begin ? arena_copy(arena, text + begin, end - begin)
                                                                   : NULL;
}

static const char *print_section(arena_t *arena, const char *rfc, const char *section)
{
    return rfc ? arena_print(arena, "%s, %s", rfc, section) : section;
}

static const char *comment_text(arena_t *arena, const comment_t *comment)
{
    return arena_copy(arena, comment->place.source->text + comment->place.offset, comment->place.len);
}

/* The comment on the line of the rule's name. */
static void cite_beside(arena_t *arena, ast_rule_t *rule, const comment_t *comment, const char *rfc)
{
    const char *text = comment_text(arena, comment);
    citation_t citation = read_citation(arena, text);

    if (!citation.section)
        citation.section = last_word_section(arena, text);
    if (citation.section)
        rule->section = print_section(arena, citation.rfc ? citation.rfc : rfc, citation.section);
}

/* Gives the rules from number `at` on that begin before `offset` the section above them; returns the number behind. */
static size_t cite_above(arena_t *arena, const ast_t *ast, size_t at, size_t offset, const citation_t *above)
{
    for (; at < ast->rules.count && ast->rules.items[at]->name.place.offset < offset; at++)
        if (above->section)
            ast->rules.items[at]->section = print_section(arena, above->rfc, above->section);
    return at;
}

/* See note [where sections stand]. */
static void attach_sections(arena_t *arena, const ast_t *ast, const comments_t *comments)
{
    citation_t above = {.rfc = NULL};
    size_t at = 0;

    for (size_t i = 0; i < comments->count; i++) {
        const comment_t *comment = &comments->items[i];
        at = cite_above(arena, ast, at, comment->place.offset, &above);
        ast_rule_t *rule = at ? ast->rules.items[at - 1] : NULL;
        if (comment->is_annotation)
            continue;
        if (!comment->is_first) {
            if (rule && rule->name.place.offset >= source_line_begin(comment->place.source, comment->place.offset))
                cite_beside(arena, rule, comment, above.rfc);
            continue;
        }
        citation_t citation = read_citation(arena, comment_text(arena, comment));
        if (citation.rfc)
            above.rfc = citation.rfc;
        if (citation.section)
            above.section = citation.section;
    }
    cite_above(arena, ast, at, SIZE_MAX, &above);
}

/* ---------------------------------------------------------------- files */

ast_t *spec_parse(arena_t *arena, const source_t *source, diag_t *diag)
{
    ast_t *ast = ARENA_NEW(arena, ast_t);
    tokens_t tokens = {.count = 0};
    comments_t comments = {.count = 0};

    ast->source = source;
    lex_rules(arena, source, diag, &tokens, &comments);
    parse_rules(arena, &tokens, ast, diag);
    attach_annotations(arena, ast, &comments, diag);
    attach_sections(arena, ast, &comments);
    return ast;
}

/* The tokens from number *at on that begin before `offset`, but for the end; *at moves behind them. */
static void print_tokens(const tokens_t *tokens, size_t *at, size_t offset, text_t *text)
{
    for (; *at + 1 < tokens->count && tokens->items[*at].place.offset < offset; (*at)++)
        parse_print_token(&tokens->items[*at], text);
}

/* What is wrong with the tokens has been said when they were parsed. */
void spec_print_tokens(arena_t *arena, const source_t *source, text_t *text)
{
    tokens_t rules = {.count = 0};
    comments_t comments = {.count = 0};
    diag_t *said = diag_new(arena);
    size_t at = 0;

    lex_rules(arena, source, said, &rules, &comments);
    for (size_t i = 0; i < comments.count; i++) {
        tokens_t tokens = {.count = 0};
        if (!comments.items[i].is_annotation)
            continue;
        lex_annotation(arena, &comments.items[i], said, &tokens);
        print_tokens(&rules, &at, comments.items[i].place.offset, text);
        print_tokens(&tokens, &(size_t){0}, SIZE_MAX, text);
    }
    print_tokens(&rules, &at, SIZE_MAX, text);
}

/* What tells files apart, however a path names them. */
static const char *identity(arena_t *arena, const char *path)
{
    char *real = realpath(path, NULL);
    const char *copy = real ? arena_copy(arena, real, strlen(real)) : path;

    free(real);
    return copy;
}

/* Imports lie so deep in each other at most, too. */
#define FILES_MAX 1000

/* The files of a spec while they are being loaded. */
typedef struct loading {
    arena_t *arena;     /* where trees are made */
    diag_t *diag;       /* where complaints go */
    map_t by_identity;  /* → ast_t */
    VEC(ast_t *) files; /* all of them, in the order of loading */
    size_t total_len;   /* their bytes */
    bool is_full;       /* there were more */
} loading_t;

/* Together, files are no longer than one may be. False after a complaint. */
static bool has_room(loading_t *loading, const ast_name_t *import, size_t len)
{
    bool has_total = SOURCE_SIZE_MAX - loading->total_len >= len;

    if (!has_total)
        diag_error(loading->diag, import->place, "with this import the spec is longer than %zu bytes", SOURCE_SIZE_MAX);
    else if (loading->files.count == FILES_MAX)
        diag_error(loading->diag, import->place, "a spec has at most %d files", FILES_MAX);
    loading->is_full |= !has_total || loading->files.count == FILES_MAX;
    return !loading->is_full;
}

/* The file of an import, read if it has not been; NULL after a complaint. */
static ast_t *load_import(loading_t *loading, const ast_t *by, const ast_name_t *import)
{
    const char *path = source_sibling(loading->arena, by->source->path, import->text);
    const char *name = identity(loading->arena, path);
    ast_t *ast = map_find(&loading->by_identity, name);

    if (ast)
        return ast;
    const source_t *source = source_read(loading->arena, path, import->place, loading->diag);
    if (!source || !has_room(loading, import, source->len))
        return NULL;
    loading->total_len += source->len;
    ast = spec_parse(loading->arena, source, loading->diag);
    map_put(&loading->by_identity, name, ast);
    vec_push(loading->arena, &loading->files, ast);
    return ast;
}

/* Loads what files import, file by file: their list grows while it is gone through. */
static void load_imports(arena_t *arena, ast_t *main, diag_t *diag)
{
    loading_t loading = {.arena = arena, .diag = diag, .by_identity = {.arena = arena}};

    map_put(&loading.by_identity, identity(arena, main->source->path), main);
    vec_push(arena, &loading.files, main);
    loading.total_len = main->source->len;
    for (size_t i = 0; i < loading.files.count; i++) {
        ast_t *ast = loading.files.items[i];
        for (size_t k = 0; k < ast->imports.count && !loading.is_full; k++) {
            ast_t *imported = load_import(&loading, ast, &ast->imports.items[k]);
            if (imported)
                vec_push(arena, &ast->imported, imported);
        }
    }
}

ast_t *spec_load(arena_t *arena, const char *path, diag_t *diag)
{
    const source_t *source = source_read(arena, path, (place_t){.source = NULL}, diag);

    if (!source)
        return NULL;
    ast_t *ast = spec_parse(arena, source, diag);
    load_imports(arena, ast, diag);
    return ast;
}
