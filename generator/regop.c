/* regop.c: operations as values: interning and printing. Their meaning is the table in regop.h. */
#include "regop.h"

static bool equal(const op_t *a, const op_t *b)
{
    return a->kind == b->kind && a->element == b->element && a->depth == b->depth && a->conversion == b->conversion && a->feed == b->feed && a->expect == b->expect &&
           a->reg == b->reg && a->regs == b->regs && a->is_shared == b->is_shared && a->expr == b->expr && a->queue == b->queue && a->key == b->key && a->is_stream == b->is_stream && a->is_joined == b->is_joined &&
           a->is_unique == b->is_unique && a->is_atomic == b->is_atomic && a->level == b->level &&
           (a->name == b->name || (a->name && b->name && strcmp(a->name, b->name) == 0));
}

unsigned regop_intern(arena_t *arena, ops_t *ops, op_t op)
{
    for (unsigned i = 0; i < ops->count; i++)
        if (equal(&ops->items[i], &op))
            return i;
    vec_push(arena, ops, op);
    return (unsigned)ops->count - 1;
}

bool regop_has_position(const op_t *op)
{
    switch (op->kind) {
    case OP_SET:
    case OP_RESET:
    case OP_LOCAL_OPEN:
    case OP_LOCAL_CLOSE:
    case OP_MARK:
    case OP_ROLLBACK:
    case OP_ATOMIC_BEGIN:
    case OP_ATOMIC_END:
        return false;
    default:
        return true;
    }
}

bool regop_is_later(const op_t *op)
{
    switch (op->kind) {
    case OP_ATOMIC_BEGIN:
    case OP_ATOMIC_END:
    case OP_CONVERT_OPEN:
    case OP_MARK:
    case OP_ROLLBACK:
        return false;
    default:
        return op->is_atomic;
    }
}

bool regop_may_stop(const op_t *op)
{
    switch (op->kind) {
    case OP_CONVERT_OPEN:
    case OP_ANOMALY_OPEN:
    case OP_RESET:
    case OP_LOCAL_CLOSE:
    case OP_MARK:
    case OP_ROLLBACK:
    case OP_ATOMIC_BEGIN:
        return false;
    case OP_CONVERT_CLOSE:
    case OP_ATOMIC_END:
        return true;
    case OP_OPEN:
        return op->is_stream;
    default:
        return !op->is_atomic;
    }
}

bool regop_may_fail(const op_t *op)
{
    switch (op->kind) {
    case OP_OPEN:
    case OP_CLOSE:
    case OP_ANOMALY_OPEN:
    case OP_ANOMALY_CLOSE:
    case OP_CONVERT_OPEN:
    case OP_RESET:
    case OP_MARK:
    case OP_ROLLBACK:
    case OP_FOUND:
    case OP_ATOMIC_BEGIN:
        return false;
    default:
        return true;
    }
}

void regop_print(const op_t *op, text_t *text)
{
    switch (op->kind) {
    case OP_OPEN:
        text_print(text, "open e%u", op->element);
        break;
    case OP_CLOSE:
        text_print(text, "close e%u", op->element);
        break;
    case OP_ANOMALY_OPEN:
        text_print(text, "anomaly-open");
        break;
    case OP_ANOMALY_CLOSE:
        text_print(text, "anomaly %s", op->name);
        break;
    case OP_CONVERT_OPEN:
        text_print(text, "convert-open c%u", op->conversion);
        break;
    case OP_CONVERT_CLOSE:
        text_print(text, "convert c%u", op->conversion);
        break;
    case OP_SET:
        text_print(text, "set %s", op->reg->name);
        break;
    case OP_RESET:
        text_print(text, "reset %s", op->reg_names);
        break;
    case OP_LOCAL_OPEN:
        text_print(text, "save %s", op->reg->name);
        break;
    case OP_LOCAL_CLOSE:
        text_print(text, "restore %s", op->reg->name);
        break;
    case OP_FEED_OPEN:
        text_print(text, "feed f%u", op->feed);
        break;
    case OP_FEED_CLOSE:
        text_print(text, "fed f%u", op->feed);
        break;
    case OP_FINISH:
        text_print(text, "finish f%u", op->feed);
        break;
    case OP_EXPECT:
        text_print(text, "expect %s", op->expect->name);
        break;
    case OP_PUSH:
        text_print(text, "push %s %s", op->queue->name, op->reg->name);
        break;
    case OP_MISMATCH:
        text_print(text, "mismatch %s", op->name);
        break;
    case OP_MARK:
        text_print(text, "mark");
        break;
    case OP_ROLLBACK:
        text_print(text, "rollback");
        break;
    case OP_FOUND:
        text_print(text, "found");
        break;
    case OP_ATOMIC_BEGIN:
        text_print(text, "(");
        break;
    case OP_ATOMIC_END:
        text_print(text, ")");
        break;
    }
}
