/* resolve_register.c: registers and queues: what is declared, who reads and who writes.
 *
 * All files share one space of names. What an import declares is part of the grammar only if a rule in use needs it, so
 * that importing a spec for some of its rules costs nothing in a parser. */
#include "resolver.h"

/* Of one register: more than any protocol has, and few enough to be gone through. */
#define KEYWORD_MAX 4096

static void check_name(resolver_t *resolver, const ast_name_t *name, const place_t *first)
{
    if (strchr(name->text, '-'))
        diag_error(resolver->diag, name->place, "a register's name has no hyphen, which would be a minus: write `_`");
    if (!first)
        return;
    diag_error(resolver->diag, name->place, "`%s` is declared twice", name->text);
    diag_note_at(resolver->diag, *first, "first");
}

/* ---------------------------------------------------------------- declarations */

static void add_keyword(resolver_t *resolver, reg_t *reg, const ast_name_t *word)
{
    bool is_taken = name_equal(word->text, "other");

    for (size_t i = 0; i < reg->keywords.count; i++)
        is_taken |= name_equal(reg->keywords.items[i], word->text);
    if (name_equal(word->text, "other"))
        diag_error(resolver->diag, word->place, "`other` stands for whatever is not listed");
    else if (is_taken)
        diag_error(resolver->diag, word->place, "keyword `%s` is listed twice", word->text);
    else if (!*word->text)
        diag_error(resolver->diag, word->place, "a keyword is not empty");
    else
        vec_push(resolver->arena, &reg->keywords, word->text);
}

static void declare_register(resolver_t *resolver, const ast_register_t *ast, bool is_main)
{
    const declared_t *first = map_find(&resolver->registers, ast->name.text);
    declared_t *declared = ARENA_NEW(resolver->arena, declared_t);
    reg_t *reg = ARENA_NEW(resolver->arena, reg_t);

    check_name(resolver, &ast->name, first ? &first->reg->place : NULL);
    reg->name = ast->name.text;
    reg->place = ast->name.place;
    reg->type = ast->type;
    reg->is_shared = ast->is_shared;
    reg->size = ast->size;
    for (size_t i = 0; i < ast->keywords.count && i < KEYWORD_MAX; i++)
        add_keyword(resolver, reg, &ast->keywords.items[i]);
    if (ast->keywords.count > KEYWORD_MAX)
        diag_error(resolver->diag, ast->keywords.items[KEYWORD_MAX].place, "a register has %d keywords at most",
                   KEYWORD_MAX);
    if (ast->type == REGISTER_KEYWORD && !ast->keywords.count)
        diag_error(resolver->diag, ast->name.place, "a register of keywords lists them: `keyword(A B …)`");
    *declared = (declared_t){.reg = reg, .is_main = is_main};
    map_put(&resolver->registers, reg->name, declared);
    vec_push(resolver->arena, &resolver->declared, declared);
}

static void declare_queue(resolver_t *resolver, const ast_register_t *ast, bool is_main)
{
    const declared_queue_t *first = map_find(&resolver->queues, ast->name.text);
    declared_queue_t *declared = ARENA_NEW(resolver->arena, declared_queue_t);
    queue_t *queue = ARENA_NEW(resolver->arena, queue_t);

    check_name(resolver, &ast->name, first ? &first->queue->place : NULL);
    *queue = (queue_t){.name = ast->name.text, .place = ast->name.place, .capacity = ast->capacity, .type = ast->type};
    *declared = (declared_queue_t){.queue = queue, .is_main = is_main};
    map_put(&resolver->queues, queue->name, declared);
    vec_push(resolver->arena, &resolver->declared_queues, declared);
}

void resolve_registers(resolver_t *resolver)
{
    for (size_t i = 0; i < resolver->scope->files.count; i++) {
        const ast_t *ast = resolver->scope->files.items[i]->ast;
        for (size_t k = 0; k < ast->registers.count; k++)
            declare_register(resolver, ast->registers.items[k], i == 0);
        for (size_t k = 0; k < ast->queues.count; k++)
            declare_queue(resolver, ast->queues.items[k], i == 0);
    }
}

/* ---------------------------------------------------------------- uses */

static bool is_first_time(resolver_t *resolver, const char *name)
{
    bool is_first = !map_find(&resolver->unknown, name);

    map_put(&resolver->unknown, name, &resolver->unknown);
    return is_first;
}

declared_t *resolve_register(resolver_t *resolver, const ast_name_t *name)
{
    declared_t *declared = map_find(&resolver->registers, name->text);

    if (declared)
        declared->is_used = true;
    else if (is_first_time(resolver, name->text)) {
        diag_error(resolver->diag, name->place, "no register is called `%s`", name->text);
        if (strchr(name->text, '-'))
            diag_note(resolver->diag, "a minus stands between blanks");
    }
    return declared;
}

declared_queue_t *resolve_queue(resolver_t *resolver, const ast_name_t *name)
{
    declared_queue_t *declared = map_find(&resolver->queues, name->text);

    if (declared)
        declared->is_used = true;
    else if (is_first_time(resolver, name->text))
        diag_error(resolver->diag, name->place, "no queue is called `%s`", name->text);
    return declared;
}

static void list_register(resolver_t *resolver, declared_t *declared)
{
    grammar_t *grammar = resolver->grammar;

    if (declared->read.source && !declared->is_written && grammar->name) /* whoever imports it may do that */
        diag_error(resolver->diag, declared->read, "register `%s` is read, but nothing sets it", declared->reg->name);
    if (!declared->is_main && !declared->is_used)
        return;
    if (declared->reg->is_shared)
        vec_push(resolver->arena, &grammar->shared, declared->reg);
    else
        vec_push(resolver->arena, &grammar->registers, declared->reg);
    size_t count = declared->reg->is_shared ? grammar->shared.count : grammar->registers.count;
    if (count == REGISTERS_MAX + 1)
        diag_error(resolver->diag, declared->reg->place, "more than %u registers", REGISTERS_MAX);
}

/* Numbers and texts first, then words, each in the order of their declarations. */
static void number_registers(grammar_t *grammar)
{
    unsigned index = 0, words = 0;
    for (size_t i = 0; i < grammar->shared.count; i++)
        grammar->shared.items[i]->index = (unsigned)i;
    for (size_t i = 0; i < grammar->registers.count; i++) {
        reg_t *reg = grammar->registers.items[i];
        reg->is_word = reg->type == REGISTER_KEYWORD || reg->type == REGISTER_FLAG;
        if (!reg->is_word)
            reg->index = index++;
    }
    for (size_t i = 0; i < grammar->registers.count; i++) {
        reg_t *reg = grammar->registers.items[i];
        if (reg->is_word)
            reg->word = words++, reg->index = index++;
    }
}

static void list_queue(resolver_t *resolver, declared_queue_t *declared)
{
    if (declared->popped.source && !declared->is_pushed)
        diag_error(resolver->diag, declared->popped, "nothing is pushed to queue `%s`", declared->queue->name);
    if (!declared->is_main && !declared->is_used)
        return;
    declared->queue->index = (unsigned)resolver->grammar->queues.count;
    vec_push(resolver->arena, &resolver->grammar->queues, declared->queue);
}

void resolve_register_lists(resolver_t *resolver)
{
    for (size_t i = 0; i < resolver->declared.count; i++)
        list_register(resolver, resolver->declared.items[i]);
    number_registers(resolver->grammar);
    for (size_t i = 0; i < resolver->declared_queues.count; i++)
        list_queue(resolver, resolver->declared_queues.items[i]);
}
