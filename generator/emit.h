/* emit.h: layout → the text of the two generated files. By now everything is right: nothing is complained about here. */
#ifndef QCAPGEN_EMIT_H
#define QCAPGEN_EMIT_H

#include "layout.h"
#include "table.h"

/* Chooses the states that have direct code of their own. */
void emit_choose(layout_t *layout);

void emit_h(const layout_t *layout, const table_t *table, text_t *text);
void emit_c(const layout_t *layout, const table_t *table, text_t *text);

/* ---------------------------------------------------------------- parts of these */

/* The states as tables: what each of them does, for people and for runtime/table.c. */
void emit_tables(const layout_t *layout, const table_t *table, text_t *text);

/* The hot states as direct code. */
void emit_machines(const layout_t *layout, text_t *text);

/* Expressions as functions, and the table of them. */
void emit_values(const layout_t *layout, text_t *text);
/* On one line, or with `and` and `or` broken into lines that begin with `indent`. */
void emit_expr(const expr_t *expr, const char *indent, text_t *text);

/* The expression as the spec has it, in a comment on a line of its own. */
void emit_expr_comment(const expr_t *expr, const char *indent, text_t *text);

/* The spec files, each with the RFCs that its rules are from: "http.abnf (RFC 9110, RFC 9112), uri.abnf". */
void emit_files(const layout_t *layout, text_t *text);

/* The path of an element: PROTOCOL.ELEMENT.ELEMENT. */
void emit_path(const layout_t *layout, unsigned element, text_t *text);

/* The number of a register of either kind, or of none. */
unsigned emit_register_number(const reg_t *reg);

/* What people read above a state: the rule with a dot where each reading stands, and a shortest input that leads there; a
 * comment that is not closed yet. */
void emit_place_comment(const layout_t *layout, unsigned state, const char *indent, text_t *text);

/* What an operation does, for people. */
void emit_op_name(const layout_t *layout, const op_t *op, text_t *text);

#endif
