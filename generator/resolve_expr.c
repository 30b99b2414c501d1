/* resolve_expr.c: expressions: what names in them mean, and that numbers, conditions and keywords stand where they can.
 *
 *     number      NUMBER, REGISTER of numbers, ADD SUB MUL AND_BITS of numbers
 *     condition   IS_SET, TRUE FALSE, EQ … GE of numbers, EQ NE of keywords and of bytes, AND OR NOT of conditions
 *
 * A bare name is the register of that name: its number where a number is wanted, "is set" where a condition is. Only
 * beside a register of keywords, a name on the right is one of its keywords first. */
#include "resolver.h"

static expr_t *new_expr(resolver_t *resolver, expr_kind_t kind, place_t place)
{
    expr_t *expr = ARENA_NEW(resolver->arena, expr_t);

    expr->kind = kind;
    expr->place = place;
    return expr;
}

static bool is_comparison(expr_kind_t kind)
{
    return kind >= EXPR_EQ && kind <= EXPR_GE;
}

static const expr_t *operation(resolver_t *resolver, const ast_expr_t *ast, const expr_t *left, const expr_t *right)
{
    if (!left || !right)
        return NULL;
    expr_t *expr = new_expr(resolver, ast->kind, ast->place);
    expr->left = left;
    expr->right = right;
    return expr;
}

/* The register that is read where `ast` stands. */
static const reg_t *read_register(resolver_t *resolver, const ast_expr_t *ast)
{
    declared_t *declared = resolve_register(resolver, &(ast_name_t){.text = ast->name, .place = ast->place});

    if (!declared)
        return NULL;
    if (!declared->read.source)
        declared->read = ast->place;
    return declared->reg;
}

/* ---------------------------------------------------------------- numbers */

static const expr_t *register_number(resolver_t *resolver, const ast_expr_t *ast)
{
    const reg_t *reg = read_register(resolver, ast);

    if (!reg)
        return NULL;
    if (reg->type != REGISTER_UINT) {
        diag_error(resolver->diag, ast->place, "`%s` is no number", reg->name);
        return NULL;
    }
    expr_t *expr = new_expr(resolver, EXPR_REGISTER, ast->place);
    expr->reg = reg;
    return expr;
}

const expr_t *resolve_number(resolver_t *resolver, const ast_expr_t *ast)
{
    expr_t *expr;

    switch (ast->kind) {
    case EXPR_NUMBER:
        expr = new_expr(resolver, EXPR_NUMBER, ast->place);
        expr->number = ast->number;
        return expr;
    case EXPR_REGISTER:
        return register_number(resolver, ast);
    case EXPR_ADD:
    case EXPR_SUB:
    case EXPR_MUL:
    case EXPR_AND_BITS:
        return operation(resolver, ast, resolve_number(resolver, ast->left), resolve_number(resolver, ast->right));
    default:
        diag_error(resolver->diag, ast->place, "a number is wanted here, not a condition");
        return NULL;
    }
}

/* ---------------------------------------------------------------- keywords */

/* The register of that type that a bare name is, or NULL without a complaint. */
static const reg_t *register_of(const resolver_t *resolver, const ast_expr_t *ast, register_type_t type)
{
    const declared_t *declared = ast->kind == EXPR_REGISTER ? map_find(&resolver->registers, ast->name) : NULL;

    return declared && declared->reg->type == type ? declared->reg : NULL;
}

static const reg_t *keyword_register(const resolver_t *resolver, const ast_expr_t *ast)
{
    return register_of(resolver, ast, REGISTER_KEYWORD);
}

static bool is_keyword_of(const reg_t *reg, const char *name, uint64_t *number)
{
    for (*number = reg->keywords.count; *number > 0; --*number)
        if (name_equal(reg->keywords.items[*number - 1], name))
            return true;
    return name_equal(name, "other");
}

bool resolve_same_keywords(const reg_t *a, const reg_t *b)
{
    if (a->keywords.count != b->keywords.count)
        return false;
    for (size_t i = 0; i < a->keywords.count; i++)
        if (!name_equal(a->keywords.items[i], b->keywords.items[i]))
            return false;
    return true;
}

/* A keyword of `reg`, or another register with the same ones. */
static const expr_t *keyword(resolver_t *resolver, const reg_t *reg, const ast_expr_t *ast)
{
    const reg_t *other = keyword_register(resolver, ast);
    uint64_t number = 0;

    if (ast->kind == EXPR_REGISTER && is_keyword_of(reg, ast->name, &number)) {
        expr_t *expr = new_expr(resolver, EXPR_NUMBER, ast->place);
        expr->number = number;
        expr->keyword = ast->name;
        return expr;
    }
    if (other && resolve_same_keywords(reg, other)) {
        expr_t *expr = new_expr(resolver, EXPR_REGISTER, ast->place);
        expr->reg = read_register(resolver, ast);
        return expr;
    }
    if (!reg->keywords.count) /* its declaration has been complained about */
        return NULL;
    if (ast->kind == EXPR_REGISTER)
        diag_error(resolver->diag, ast->place, "`%s` is no keyword of `%s`", ast->name, reg->name);
    else
        diag_error(resolver->diag, ast->place, "a keyword of `%s` is wanted here", reg->name);
    return NULL;
}

static const expr_t *compare_keywords(resolver_t *resolver, const reg_t *reg, const ast_expr_t *ast,
                                      const ast_expr_t *name, const ast_expr_t *word)
{
    if (ast->kind != EXPR_EQ && ast->kind != EXPR_NE) {
        diag_error(resolver->diag, ast->place, "keywords are equal or differ: they have no order");
        return NULL;
    }
    read_register(resolver, name);
    expr_t *left = new_expr(resolver, EXPR_REGISTER, name->place);
    left->reg = reg;
    return operation(resolver, ast, left, keyword(resolver, reg, word));
}

/* ---------------------------------------------------------------- conditions */

static const expr_t *bytes(resolver_t *resolver, const ast_expr_t *ast)
{
    if (!register_of(resolver, ast, REGISTER_BYTES)) {
        diag_error(resolver->diag, ast->place, "another register of bytes is wanted here");
        return NULL;
    }
    expr_t *expr = new_expr(resolver, EXPR_REGISTER, ast->place);
    expr->reg = read_register(resolver, ast);
    return expr;
}

static const expr_t *compare_bytes(resolver_t *resolver, const ast_expr_t *ast)
{
    if (ast->kind != EXPR_EQ && ast->kind != EXPR_NE) {
        diag_error(resolver->diag, ast->place, "bytes are equal or differ: they have no order");
        return NULL;
    }
    return operation(resolver, ast, bytes(resolver, ast->left), bytes(resolver, ast->right));
}

static const expr_t *compare(resolver_t *resolver, const ast_expr_t *ast)
{
    const reg_t *left = keyword_register(resolver, ast->left), *right = keyword_register(resolver, ast->right);
    const reg_t *flag = register_of(resolver, ast->left, REGISTER_FLAG);

    if (left)
        return compare_keywords(resolver, left, ast, ast->left, ast->right);
    if (right)
        return compare_keywords(resolver, right, ast, ast->right, ast->left);
    if (register_of(resolver, ast->left, REGISTER_BYTES) || register_of(resolver, ast->right, REGISTER_BYTES))
        return compare_bytes(resolver, ast);
    if (!flag)
        flag = register_of(resolver, ast->right, REGISTER_FLAG);
    if (flag) {
        diag_error(resolver->diag, ast->place, "`%s` is a flag, a condition by itself: `%s`, or `not %s`", flag->name, flag->name,
                   flag->name);
        return NULL;
    }
    return operation(resolver, ast, resolve_number(resolver, ast->left), resolve_number(resolver, ast->right));
}

static const expr_t *is_set(resolver_t *resolver, const ast_expr_t *ast)
{
    const reg_t *reg = read_register(resolver, ast);

    if (!reg)
        return NULL;
    expr_t *expr = new_expr(resolver, EXPR_IS_SET, ast->place);
    expr->reg = reg;
    return expr;
}

static const expr_t *negation(resolver_t *resolver, const ast_expr_t *ast)
{
    const expr_t *left = resolve_condition(resolver, ast->left);

    if (!left)
        return NULL;
    expr_t *expr = new_expr(resolver, EXPR_NOT, ast->place);
    expr->left = left;
    return expr;
}

const expr_t *resolve_condition(resolver_t *resolver, const ast_expr_t *ast)
{
    if (is_comparison(ast->kind))
        return compare(resolver, ast);
    switch (ast->kind) {
    case EXPR_REGISTER:
        return is_set(resolver, ast);
    case EXPR_TRUE:
    case EXPR_FALSE:
        return new_expr(resolver, ast->kind, ast->place);
    case EXPR_AND:
    case EXPR_OR:
        return operation(resolver, ast, resolve_condition(resolver, ast->left),
                         resolve_condition(resolver, ast->right));
    case EXPR_NOT:
        return negation(resolver, ast);
    default:
        diag_error(resolver->diag, ast->place, "a condition is wanted here, not a number");
        return NULL;
    }
}

/* ---------------------------------------------------------------- assignments */

const expr_t *resolve_assigned(resolver_t *resolver, const reg_t *reg, const ast_expr_t *ast)
{
    switch (reg->type) {
    case REGISTER_UINT:
        return resolve_number(resolver, ast);
    case REGISTER_FLAG:
        return resolve_condition(resolver, ast);
    case REGISTER_KEYWORD:
        return keyword(resolver, reg, ast);
    case REGISTER_BYTES:
        break;
    }
    diag_error(resolver->diag, ast->place, "bytes cannot be assigned");
    return NULL;
}
