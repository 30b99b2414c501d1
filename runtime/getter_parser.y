/* getter_parser.y: from tokens to the steps of a getter.
 *
 * Steps are made as they are read. A comparison is one step; all steps leave what they find in one register, so that `and` and
 * `or` are steps between two conditions that pass over the second one, `not` is one behind its condition, and parentheses are
 * nothing at all. */
%require "3.8"
%define api.pure full
%define api.prefix {qcapint_getter_yy}
%define api.token.prefix {GETTER_}
%param {reader_t *reader}

%code requires {
#include "getter.h"

typedef struct reader reader_t;
}

%code {
#include <string.h>
#include <strings.h>

#include "handle.h"
#include "subscribe.h"

/* How deep conditions may be nested: the parser's stack, which lies on ours. */
#define YYINITDEPTH 300
#define YYMAXDEPTH YYINITDEPTH

struct reader {
    qcap_getter_t *getter;
    const char *text;       /* all of it */
    qcapint_lexer_t lexer;
    qcapint_token_t token;  /* the latest one */
    qcapint_operand_t left; /* of the comparison at hand */
    qcapint_token_t name;   /* the latest one of a field */
    uint32_t set;           /* of the literals, the first of that comparison */
};

static int qcapint_getter_yylex(QCAPINT_GETTER_YYSTYPE *value, reader_t *reader);
static void qcapint_getter_yyerror(reader_t *reader, const char *message);

static bool name_operand(reader_t *reader, const qcapint_token_t *name, qcapint_operand_t *operand);
static bool slice(reader_t *reader, qcapint_operand_t *operand, const qcapint_token_t *begin, const qcapint_token_t *len);
static bool mask(reader_t *reader, qcapint_operand_t *operand, const qcapint_token_t *bits);
static bool add_literal(reader_t *reader, qcapint_operand_t *operand, const qcapint_token_t *low, const qcapint_token_t *high);
static bool compare(reader_t *reader, const qcapint_operand_t *left, qcapint_step_kind_t kind, const qcapint_token_t *value);
static bool compare_both(reader_t *reader, const qcapint_operand_t *left, qcapint_step_kind_t kind,
                         const qcapint_operand_t *right);
static void begin_set(reader_t *reader, const qcapint_operand_t *left);
static void end_set(reader_t *reader, qcapint_step_kind_t kind);
static uint32_t add_step(reader_t *reader, qcapint_step_kind_t kind);
static void add_exists(reader_t *reader, const qcapint_operand_t *operand);
static void land(reader_t *reader, uint32_t step);
static bool no_matches(reader_t *reader, const qcapint_token_t *place);
static qcapint_step_kind_t mirrored(qcapint_step_kind_t kind);

/* Each says what is wrong itself. */
#define MUST(works) do { if (!(works)) YYABORT; } while (0)
}

%union {
    qcapint_token_t token;
    qcapint_operand_t operand;
    qcapint_step_kind_t kind;
    uint32_t step;
}

%token END 0
%token <token>
    NAME NUMBER DECIMAL ADDRESS COLONS STRING TRUTH STRAY
    EQUAL DIFFERS LESS LESS_EQUAL GREATER GREATER_EQUAL CONTAINS MATCHES IN AND OR NOT
    OPEN CLOSE OPEN_SET CLOSE_SET OPEN_SLICE CLOSE_SLICE COLON COMMA RANGE BITS

%left OR
%left AND
%precedence NOT

%type <operand> field operand
%type <token> value
%type <kind> comparison

%%

getter:
  condition
;

condition:
  operand                                  { add_exists(reader, &$1); }
| operand comparison value                 { MUST(compare(reader, &$1, $2, &$3)); }
| value comparison operand                 { MUST(compare(reader, &$3, mirrored($2), &$1)); }
| operand comparison[kind] operand[right]  { MUST(compare_both(reader, &$1, $kind, &$right)); }
| operand CONTAINS value                   { MUST(compare(reader, &$1, QCAPINT_STEP_CONTAINS, &$3)); }
| operand MATCHES value                    { MUST(no_matches(reader, &$2)); }
| operand IN OPEN_SET { begin_set(reader, &$1); } items CLOSE_SET { end_set(reader, QCAPINT_STEP_EQUAL); }
| operand NOT IN OPEN_SET { begin_set(reader, &$1); } items CLOSE_SET { end_set(reader, QCAPINT_STEP_DIFFERS); }
| NOT condition                            { add_step(reader, QCAPINT_STEP_NOT); }
| condition AND { $<step>$ = add_step(reader, QCAPINT_STEP_AND); } condition { land(reader, $<step>3); }
| condition OR { $<step>$ = add_step(reader, QCAPINT_STEP_OR); } condition { land(reader, $<step>3); }
| OPEN condition CLOSE
;

comparison:
  EQUAL         { $$ = QCAPINT_STEP_EQUAL; }
| DIFFERS       { $$ = QCAPINT_STEP_DIFFERS; }
| LESS          { $$ = QCAPINT_STEP_LESS; }
| LESS_EQUAL    { $$ = QCAPINT_STEP_LESS_EQUAL; }
| GREATER       { $$ = QCAPINT_STEP_GREATER; }
| GREATER_EQUAL { $$ = QCAPINT_STEP_GREATER_EQUAL; }
;

operand:
  field
| field BITS NUMBER                               { $$ = $1; MUST(mask(reader, &$$, &$3)); }
| field OPEN_SLICE NUMBER CLOSE_SLICE             { $$ = $1; MUST(slice(reader, &$$, &$3, NULL)); $$.slice_len = 1; }
| field OPEN_SLICE NUMBER COLON NUMBER CLOSE_SLICE { $$ = $1; MUST(slice(reader, &$$, &$3, &$5)); }
| field OPEN_SLICE NUMBER COLON CLOSE_SLICE       { $$ = $1; MUST(slice(reader, &$$, &$3, NULL)); }
| field OPEN_SLICE COLON NUMBER CLOSE_SLICE       { $$ = $1; MUST(slice(reader, &$$, NULL, &$4)); }
;

field:
  NAME          { MUST(name_operand(reader, &$1, &$$)); }
;

value:
  NUMBER | DECIMAL | ADDRESS | COLONS | STRING | TRUTH
;

items:
  item
| items item
| items COMMA item
;

item:
  value             { MUST(add_literal(reader, &reader->left, &$1, NULL)); }
| value RANGE value { MUST(add_literal(reader, &reader->left, &$1, &$3)); }
;

%%

/* ---------------------------------------------------------------- complaints */

/* The column of a place: characters of UTF-8 before it, and one. */
static unsigned column(const reader_t *reader, const char *place)
{
    unsigned column = 1;
    for (const char *at = reader->text; at < place; at++)
        column += ((unsigned char)*at & 0xc0) != 0x80;
    return column;
}

#define SHOWN_MAX 40 /* bytes of a token that messages show */

/* Complains about a token: the message, behind it the token, and what else there is to say. Always false. */
static bool complain_more(const reader_t *reader, const qcapint_token_t *token, const char *message, const char *more)
{
    int len = token->len > SHOWN_MAX ? SHOWN_MAX : (int)token->len;
    qcapint_fail(reader->getter->q, QCAP_E_FILTER, "column %u: %s%s%.*s%s%s", column(reader, token->text), message,
                 len ? ": `" : "", len, token->text, len ? "`" : "", more);
    return false;
}

static bool complain(const reader_t *reader, const qcapint_token_t *token, const char *message)
{
    return complain_more(reader, token, message, "");
}

/* Besides syntax errors, the parser only complains that its stack is full. */
static void qcapint_getter_yyerror(reader_t *reader, const char *message)
{
    const qcapint_token_t *token = &reader->token;
    if (strcmp(message, YY_("syntax error")) != 0)
        complain(reader, token, "this is nested too deep");
    else if (token->kind == GETTER_END)
        complain(reader, token, "it ends too early");
    else if (token->kind == GETTER_STRAY)
        complain(reader, token, *token->text == '"' ? "a quote that is not closed" : "this has no meaning here");
    else
        complain(reader, token, "this is not expected here");
}

static int qcapint_getter_yylex(QCAPINT_GETTER_YYSTYPE *value, reader_t *reader)
{
    reader->token = qcapint_lexer_next(&reader->lexer);
    value->token = reader->token;
    return reader->token.kind;
}

static bool no_matches(reader_t *reader, const qcapint_token_t *place)
{
    return complain(reader, place, "there are no regular expressions");
}

/* ---------------------------------------------------------------- operands */

/* A copy of the token that ends with a NUL. */
static const char *keep(reader_t *reader, const qcapint_token_t *token)
{
    char *copy = (char *)reader->getter->pool;
    memcpy(copy, token->text, token->len);
    copy[token->len] = '\0';
    reader->getter->pool += token->len + 1;
    return copy;
}

/* Whether a protocol that was added has such an element. */
static bool has_element(const qcap_t *q, const char *name)
{
    const qcap_protocol_t *protocol;
    for (size_t p = 0; (protocol = qcap_protocol_at(q, p)); p++)
        for (uint16_t i = 0; i < protocol->element_count; i++)
            if (qcapint_subscribe_fits(name, protocol, i))
                return true;
    return false;
}

/* A name that is nothing: a field may have been meant, or an element. */
static bool refuse_name(const reader_t *reader, const qcapint_token_t *token, const char *name)
{
    const qcap_field_t *field;
    qcapint_meant_t meant;
    qcapint_meant_begin(&meant, name, strlen(name));
    for (size_t i = 0; (field = qcap_field(i)); i++)
        qcapint_meant_offer(&meant, "", field->name);
    if (!*meant.likely)
        qcapint_subscribe_guess(reader->getter->q, name, &meant);
    return complain_more(reader, token, "there is no such field, nor element of a protocol that was added",
                         qcapint_meant_text(&meant));
}

static bool name_operand(reader_t *reader, const qcapint_token_t *token, qcapint_operand_t *operand)
{
    qcap_getter_t *getter = reader->getter;
    const char *name = keep(reader, token);
    reader->name = *token;
    *operand = (qcapint_operand_t){.type = QCAP_VALUE_STRING};
    operand->rows = qcapint_field_find(name, &operand->row_count);
    if (operand->rows) {
        operand->type = operand->rows->field.type;
        for (uint32_t i = 0; i < operand->row_count; i++)
            getter->wanted |= 1u << operand->rows[i].layer;
        return true;
    }
    if (!has_element(getter->q, name))
        return refuse_name(reader, token, name);
    operand->element = name;
    getter->has_elements = true;
    return true;
}

/* A number that is written in a place where no other value can stand. */
static bool read_small(reader_t *reader, const qcapint_token_t *token, uint32_t *number)
{
    qcapint_literal_t literal;
    const char *wrong = qcapint_literal_read(token, QCAP_VALUE_UINT, &literal, &reader->getter->pool);
    if (wrong || literal.low.number >= UINT32_MAX)
        return complain(reader, token, "this number is too large");
    *number = (uint32_t)literal.low.number;
    return true;
}

static bool is_bytes(qcap_value_type_t type)
{
    return type != QCAP_VALUE_BOOL && type != QCAP_VALUE_UINT && type != QCAP_VALUE_TIME;
}

/* begin NULL: 0; len NULL: up to the last byte. */
static bool slice(reader_t *reader, qcapint_operand_t *operand, const qcapint_token_t *begin, const qcapint_token_t *len)
{
    if (!is_bytes(operand->type))
        return complain(reader, begin ? begin : len, "the field is no bytes that a part could be taken of");
    operand->type = QCAP_VALUE_BYTES;
    operand->has_slice = true;
    operand->slice_begin = 0;
    operand->slice_len = UINT32_MAX;
    return (!begin || read_small(reader, begin, &operand->slice_begin)) &&
           (!len || read_small(reader, len, &operand->slice_len));
}

static bool mask(reader_t *reader, qcapint_operand_t *operand, const qcapint_token_t *bits)
{
    if (operand->type != QCAP_VALUE_UINT)
        return complain(reader, bits, "the field is no number that bits could be taken of");
    return read_small(reader, bits, &operand->mask) && (operand->mask || complain(reader, bits, "no bits are left"));
}

/* ---------------------------------------------------------------- steps */

static uint32_t add_step(reader_t *reader, qcapint_step_kind_t kind)
{
    reader->getter->steps[reader->getter->step_count] = (qcapint_step_t){.kind = (uint8_t)kind};
    return reader->getter->step_count++;
}

/* The step goes to what comes next. */
static void land(reader_t *reader, uint32_t step)
{
    reader->getter->steps[step].target = reader->getter->step_count;
}

static void note_whole(qcapint_operand_t *operand)
{
    operand->is_whole = !operand->is_decimal && !operand->mask && !operand->has_slice;
}

static qcapint_step_t *add_test(reader_t *reader, qcapint_step_kind_t kind, const qcapint_operand_t *left)
{
    qcapint_step_t *step = &reader->getter->steps[add_step(reader, kind)];
    step->left = *left;
    note_whole(&step->left);
    return step;
}

static void add_exists(reader_t *reader, const qcapint_operand_t *operand)
{
    add_test(reader, QCAPINT_STEP_EXISTS, operand);
}

static qcapint_step_kind_t mirrored(qcapint_step_kind_t kind)
{
    switch (kind) {
    case QCAPINT_STEP_LESS:
        return QCAPINT_STEP_GREATER;
    case QCAPINT_STEP_LESS_EQUAL:
        return QCAPINT_STEP_GREATER_EQUAL;
    case QCAPINT_STEP_GREATER:
        return QCAPINT_STEP_LESS;
    case QCAPINT_STEP_GREATER_EQUAL:
        return QCAPINT_STEP_LESS_EQUAL;
    default:
        return kind;
    }
}

/* Adds a literal, or a range (high is not NULL), of the operand's type. An element that is compared with a number is one. */
static bool add_literal(reader_t *reader, qcapint_operand_t *operand, const qcapint_token_t *low, const qcapint_token_t *high)
{
    qcap_getter_t *getter = reader->getter;
    qcapint_literal_t *literal = &getter->literals[getter->literal_count], other;
    bool is_first = getter->literal_count == reader->set;
    if (operand->element && !operand->has_slice && low->kind == GETTER_NUMBER && is_first) {
        operand->is_decimal = true;
        operand->type = QCAP_VALUE_UINT;
    }
    const char *wrong = qcapint_literal_read(low, operand->type, literal, &getter->pool);
    if (wrong)
        return complain(reader, low, wrong);
    getter->literal_count++;
    if (!high)
        return true;
    wrong = qcapint_literal_read(high, operand->type, &other, &getter->pool);
    if (!wrong && (other.has_prefix || literal->has_prefix))
        wrong = "a network has no place in a range";
    literal->high = other.low;
    literal->is_range = true;
    return !wrong || complain(reader, high, wrong);
}

static bool compare(reader_t *reader, const qcapint_operand_t *left, qcapint_step_kind_t kind, const qcapint_token_t *value)
{
    begin_set(reader, left);
    if (kind == QCAPINT_STEP_CONTAINS && left->type != QCAP_VALUE_BYTES && left->type != QCAP_VALUE_STRING)
        return complain(reader, value, "only bytes and elements contain something");
    if (kind == QCAPINT_STEP_CONTAINS && value->kind == GETTER_NUMBER && left->type == QCAP_VALUE_STRING)
        return complain(reader, value, "write it in quotes");
    if (!add_literal(reader, &reader->left, value, NULL))
        return false;
    if (kind > QCAPINT_STEP_DIFFERS && reader->getter->literals[reader->set].has_prefix)
        return complain(reader, value, "nothing is less or greater than a network");
    end_set(reader, kind);
    return true;
}

static bool is_text(qcap_value_type_t type)
{
    return type == QCAP_VALUE_BYTES || type == QCAP_VALUE_STRING;
}

static bool compare_both(reader_t *reader, const qcapint_operand_t *left, qcapint_step_kind_t kind,
                         const qcapint_operand_t *right)
{
    if (left->type != right->type && !(is_text(left->type) && is_text(right->type)))
        return complain(reader, &reader->name, "this field is of another type than the one on the left");
    qcapint_step_t *step = add_test(reader, kind, left);
    step->right = *right;
    note_whole(&step->right);
    return true;
}

/* From here on literals are those of one comparison. */
static void begin_set(reader_t *reader, const qcapint_operand_t *left)
{
    reader->left = *left;
    reader->set = reader->getter->literal_count;
}

static void end_set(reader_t *reader, qcapint_step_kind_t kind)
{
    qcapint_step_t *step = add_test(reader, kind, &reader->left);
    step->literal = reader->set;
    step->literal_count = reader->getter->literal_count - reader->set;
}

/* ---------------------------------------------------------------- entry */

bool qcapint_getter_parse(qcap_getter_t *getter, const char *text)
{
    reader_t reader = {.getter = getter, .text = text, .lexer = {.cursor = text, .begin = text}};
    return qcapint_getter_yyparse(&reader) == 0;
}
