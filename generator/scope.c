/* scope.c: which rule a name means.
 *
 * Files are put in an order in which whoever imports comes before what it imports; so the first definition of a
 * spelling is the one that overrides. Three passes follow: rules, additions (`=/`), remarks (`;@ rule NAME: …`). The
 * last two go through the files backwards, so that an importing file adds behind what is there. */
#include "scope.h"

#include <string.h>

#include "source.h"
#include "spec.h"

/* RFC 5234, B.1 */
static const char core_rules[] = "ALPHA  = %x41-5A / %x61-7A\n"
                                 "BIT    = \"0\" / \"1\"\n"
                                 "CHAR   = %x01-7F\n"
                                 "CR     = %x0D\n"
                                 "CRLF   = CR LF\n"
                                 "CTL    = %x00-1F / %x7F\n"
                                 "DIGIT  = %x30-39\n"
                                 "DQUOTE = %x22\n"
                                 "HEXDIG = DIGIT / \"A\" / \"B\" / \"C\" / \"D\" / \"E\" / \"F\"\n"
                                 "HTAB   = %x09\n"
                                 "LF     = %x0A\n"
                                 "LWSP   = *(WSP / CRLF WSP)\n"
                                 "OCTET  = %x00-FF\n"
                                 "SP     = %x20\n"
                                 "VCHAR  = %x21-7E\n"
                                 "WSP    = SP / HTAB\n";

/* ---------------------------------------------------------------- files */

static bool is_imported_by(const ast_t *file, const ast_t *by, map_t *seen)
{
    if (map_find(seen, by->source->path))
        return false;
    map_put(seen, by->source->path, seen);
    for (size_t i = 0; i < by->imported.count; i++)
        if (by->imported.items[i] == file || is_imported_by(file, by->imported.items[i], seen))
            return true;
    return false;
}

/* Whether a rule of `file` is there to be overridden by one of `by`. */
static bool is_below(const scope_t *scope, const ast_t *file, const ast_t *by)
{
    map_t seen = {.arena = scope->arena};

    return file == scope->files.items[scope->files.count - 1]->ast || is_imported_by(file, by, &seen);
}

static void add_file(scope_t *scope, const ast_t *ast)
{
    scope_file_t *file = ARENA_NEW(scope->arena, scope_file_t);

    file->ast = ast;
    file->names = (map_t){.arena = scope->arena, .is_case_ignored = true};
    vec_push(scope->arena, &scope->files, file);
}

/* Imported files first, each once. */
static void visit_files(scope_t *scope, const ast_t *ast, map_t *seen)
{
    if (map_find(seen, ast->source->path))
        return;
    map_put(seen, ast->source->path, seen);
    for (size_t i = ast->imported.count; i-- > 0;)
        visit_files(scope, ast->imported.items[i], seen);
    add_file(scope, ast);
}

const ast_t *scope_core_rules(arena_t *arena, diag_t *diag)
{
    return spec_parse(arena, source_new(arena, "core rules", core_rules, sizeof core_rules - 1), diag);
}

static void add_files(scope_t *scope, const ast_t *main)
{
    map_t seen = {.arena = scope->arena};

    add_file(scope, scope_core_rules(scope->arena, scope->diag));
    visit_files(scope, main, &seen);
    for (size_t i = 0, k = scope->files.count - 1; i < k; i++, k--) {
        scope_file_t *file = scope->files.items[i];
        scope->files.items[i] = scope->files.items[k];
        scope->files.items[k] = file;
    }
}

static const scope_file_t *find_file(const scope_t *scope, const source_t *source)
{
    for (size_t i = 0; i < scope->files.count; i++)
        if (scope->files.items[i]->ast->source == source)
            return scope->files.items[i];
    return NULL;
}

/* ---------------------------------------------------------------- names */

/* Of definitions of one spelling, the first that a file may mean without looking aside: its own, or one of a file above
 * it, which overrides that. NULL if there is none, or two that are not above each other. */
static definition_t *find_above(const scope_t *scope, definition_t *first, const scope_file_t *file)
{
    definition_t *found = NULL;

    for (definition_t *d = first; d; d = d->next) {
        const ast_t *of = find_file(scope, d->place.source)->ast;
        if (of != file->ast && (d->is_alias || !is_below(scope, file->ast, of)))
            continue;
        if (found && !is_below(scope, of, find_file(scope, found->place.source)->ast))
            return NULL;
        found = found ? found : d;
    }
    return found;
}

/* Two definitions of which neither overrides the other leave it open what a name means. */
static definition_t *settled(const scope_t *scope, definition_t *definition, const scope_file_t *file, place_t place)
{
    if (!definition || !definition->next)
        return definition;
    definition_t *above = file ? find_above(scope, definition, file) : NULL;
    if (above || !definition->has_rival)
        return above ? above : definition;
    const definition_t *rival = definition->next;
    while (is_below(scope, find_file(scope, rival->place.source)->ast, find_file(scope, definition->place.source)->ast))
        rival = rival->next;
    diag_error(scope->diag, place, "`%s` is defined by two imports: %s and %s", definition->name,
               source_base_name(definition->place.source->path), source_base_name(rival->place.source->path));
    diag_note(scope->diag, "a rule `%s` of this file would settle it", definition->name);
    definition->has_rival = false; /* once is enough */
    return definition;
}

definition_t *scope_find(const scope_t *scope, const ast_name_t *name)
{
    const scope_file_t *file = find_file(scope, name->place.source);
    definition_t *definition = map_find(&scope->names, name->text);

    if (!definition && file)
        definition = map_find(&file->names, name->text);
    if (!definition)
        definition = map_find(&scope->folded, name->text);
    return settled(scope, definition, file, name->place);
}

/* What nothing defines is reported where it is met first. */
static bool is_first_time(scope_t *scope, const char *name)
{
    bool is_first = !map_find(&scope->missing, name);

    map_put(&scope->missing, name, &scope->missing);
    return is_first;
}

definition_t *scope_get(scope_t *scope, const ast_name_t *name)
{
    definition_t *definition = scope_find(scope, name);

    if (!definition && is_first_time(scope, name->text))
        diag_error(scope->diag, name->place, "rule `%s` is not defined", name->text);
    return definition;
}

/* The name in `host, see [URI], Section 3.2.2` and `host see …`; NULL if the text begins with no name. */
static const char *name_in_prose(arena_t *arena, const char *text)
{
    const char *begin = text + strspn(text, " \t");
    const char *see = strstr(begin, " see ");
    size_t len = strcspn(begin, ",");

    if (see && (size_t)(see - begin) < len)
        len = (size_t)(see - begin);
    while (len && strchr(" \t", begin[len - 1]))
        len--;
    return len ? arena_copy(arena, begin, len) : NULL;
}

/* What a prose value names: bound by `prose`, or in the value itself; no text: it names nothing. */
static ast_name_t prose_name(const scope_t *scope, const ast_node_t *prose)
{
    const ast_binding_t *binding = map_find(&scope->bindings, prose->text);

    if (binding)
        return binding->rule;
    if (strcmp(prose->text, AST_QUOTE) == 0)
        return (ast_name_t){.text = AST_QUOTE_RULE, .place = prose->place};
    return (ast_name_t){.text = name_in_prose(scope->arena, prose->text), .place = prose->place};
}

static void report_prose(scope_t *scope, const ast_node_t *prose)
{
    const char *quotes = strchr(prose->text, '"') ? "<>" : "\"\"";

    if (!is_first_time(scope, prose->text))
        return;
    diag_error(scope->diag, prose->place, "this prose stands for no rule that is known");
    diag_note(scope->diag, "`;@ prose %c%s%c = RULE` in column one binds it to a rule", quotes[0], prose->text, quotes[1]);
}

definition_t *scope_get_prose(scope_t *scope, const ast_node_t *prose)
{
    ast_name_t name = prose_name(scope, prose);

    if (map_find(&scope->bindings, prose->text) || strcmp(prose->text, AST_QUOTE) == 0)
        return scope_get(scope, &name);
    definition_t *definition = name.text ? map_find(&scope->names, name.text) : NULL;
    if (name.text && !definition)
        definition = map_find(&scope->folded, name.text);
    if (!definition)
        report_prose(scope, prose);
    return settled(scope, definition, find_file(scope, prose->place.source), prose->place);
}

/* ---------------------------------------------------------------- definitions */

/* A rule that says `host = <host, see …>`, or has that bound to `host`, is no rule of its own: it points out where the
 * imported one is. */
static bool is_pointer_to_import(const scope_t *scope, const ast_rule_t *rule)
{
    const ast_node_t *node = rule->alternatives.items[0].node;

    if (rule->is_addition || rule->alternatives.count != 1 || node->kind != AST_PROSE)
        return false;
    ast_name_t name = prose_name(scope, node);
    return name.text && strcmp(name.text, rule->name.text) == 0;
}

static void append_notes(arena_t *arena, ast_notes_t *to, const ast_notes_t *from)
{
    for (size_t i = 0; i < from->count; i++)
        vec_push(arena, to, from->items[i]);
}

static void append_rule(const scope_t *scope, definition_t *definition, const ast_rule_t *rule)
{
    for (size_t i = 0; i < rule->alternatives.count; i++) {
        const ast_alternative_t *from = &rule->alternatives.items[i];
        alternative_t alternative = {.node = from->node, .notes = from->notes};
        vec_push(scope->arena, &definition->alternatives, alternative);
    }
    append_notes(scope->arena, &definition->notes, &rule->notes);
}

static void report_second(const scope_t *scope, const definition_t *first, const ast_rule_t *rule)
{
    diag_error(scope->diag, rule->name.place, "rule `%s` is defined twice", rule->name.text);
    diag_note_at(scope->diag, first->place, "first as `%s`", first->name);
    diag_note(scope->diag, "`=/` would add alternatives to it");
}

/* Enters a definition into the names, where some may be already that override it. */
static void enter(scope_t *scope, definition_t *definition, const ast_t *file)
{
    definition_t *first = map_find(&scope->names, definition->name);

    if (!first) {
        map_put(&scope->names, definition->name, definition);
    } else {
        definition_t *last = first;
        while (last->next)
            last = last->next;
        last->next = definition;
        first->has_rival |= !is_below(scope, file, find_file(scope, first->place.source)->ast);
    }
    if (!map_find(&scope->folded, definition->name))
        map_put(&scope->folded, definition->name, definition);
}

static void define_rules(scope_t *scope, size_t file_number)
{
    scope_file_t *file = scope->files.items[file_number];

    for (size_t i = 0; i < file->ast->rules.count; i++) {
        const ast_rule_t *rule = file->ast->rules.items[i];
        if (rule->is_addition || is_pointer_to_import(scope, rule))
            continue;
        const definition_t *first = map_find(&file->names, rule->name.text);
        if (first)
            report_second(scope, first, rule);
        if (first && strcmp(first->name, rule->name.text) == 0)
            continue; /* but one that differs in case is entered, lest its name mean the first */
        definition_t *definition = ARENA_NEW(scope->arena, definition_t);
        definition->name = rule->name.text;
        definition->place = rule->name.place;
        definition->section = rule->section;
        definition->is_main = file_number == 0 && !first;
        definition->is_alias = rule->alternatives.count == 1 && rule->alternatives.items[0].node->kind == AST_PROSE;
        definition->is_core = file_number == scope->files.count - 1;
        definition->order = (unsigned)scope->definitions.count;
        append_rule(scope, definition, rule);
        vec_push(scope->arena, &scope->definitions, definition);
        if (!first)
            map_put(&file->names, definition->name, definition);
        enter(scope, definition, file->ast);
    }
}

static void report_nothing_to_add_to(scope_t *scope, const ast_name_t *name, bool is_pointer)
{
    if (is_first_time(scope, name->text))
        diag_error(scope->diag, name->place,
                   is_pointer ? "no imported file defines `%s`" : "there is no rule `%s` to add to", name->text);
}

/* `=/`, and the annotations of rules that point to an import. */
static void add_to_rules(scope_t *scope, const scope_file_t *file)
{
    for (size_t i = 0; i < file->ast->rules.count; i++) {
        const ast_rule_t *rule = file->ast->rules.items[i];
        bool is_pointer = is_pointer_to_import(scope, rule);
        if (!rule->is_addition && !is_pointer)
            continue;
        definition_t *definition = scope_find(scope, &rule->name);
        if (!definition)
            report_nothing_to_add_to(scope, &rule->name, is_pointer);
        else if (rule->is_addition)
            append_rule(scope, definition, rule);
        else {
            append_notes(scope->arena, &definition->notes, &rule->notes);
            append_notes(scope->arena, &definition->notes, &rule->alternatives.items[0].notes);
        }
    }
}

/* `;@ rule NAME: …` */
static void add_remarks(scope_t *scope, const ast_t *ast)
{
    for (size_t i = 0; i < ast->remarks.count; i++) {
        const ast_remark_t *remark = &ast->remarks.items[i];
        definition_t *definition = scope_get(scope, &remark->rule);
        if (!definition)
            continue;
        if (remark->alternative > definition->alternatives.count)
            diag_error(scope->diag, remark->rule.place, "rule `%s` has no more than %zu alternatives", definition->name,
                       definition->alternatives.count);
        else if (remark->alternative)
            append_notes(scope->arena, &definition->alternatives.items[remark->alternative - 1].notes, &remark->notes);
        else
            append_notes(scope->arena, &definition->notes, &remark->notes);
    }
}

static void add_bindings(scope_t *scope, const ast_t *ast)
{
    for (size_t i = 0; i < ast->bindings.count; i++)
        if (!map_find(&scope->bindings, ast->bindings.items[i].prose.text))
            map_put(&scope->bindings, ast->bindings.items[i].prose.text, &ast->bindings.items[i]);
}

/* `prose` that names no rule is wrong even if nothing uses it. */
static void check_bindings(scope_t *scope, const ast_t *ast)
{
    for (size_t i = 0; i < ast->bindings.count; i++)
        scope_get(scope, &ast->bindings.items[i].rule);
}

scope_t *scope_build(arena_t *arena, const ast_t *main, diag_t *diag)
{
    scope_t *scope = ARENA_NEW(arena, scope_t);

    *scope = (scope_t){.arena = arena, .diag = diag};
    scope->names.arena = scope->folded.arena = scope->bindings.arena = scope->missing.arena = arena;
    scope->folded.is_case_ignored = scope->missing.is_case_ignored = true;
    add_files(scope, main);
    for (size_t i = 0; i < scope->files.count; i++)
        add_bindings(scope, scope->files.items[i]->ast);
    for (size_t i = 0; i < scope->files.count; i++)
        define_rules(scope, i);
    for (size_t i = scope->files.count; i-- > 0;) {
        const scope_file_t *file = scope->files.items[i];
        add_to_rules(scope, file);
        add_remarks(scope, file->ast);
        check_bindings(scope, file->ast);
    }
    return scope;
}
