/* spec_parser.y: from tokens to the syntax tree.
 *
 * One grammar has three ways in, chosen by a token that no spec contains: the rules of a file (RFC 5234, 4), a
 * directive, and the notes of one annotation. Each annotation is read on its own, so a mistake in one hides no other;
 * in the rules, the parser goes on with the next rule.
 *
 * Words of annotations are words only where they mean something: a register may be called `length`. */
%require "3.8"
%define api.pure full
%define api.prefix {spec_yy}
%define api.token.prefix {TOKEN_}
%define api.location.type {place_t}
%define parse.error custom
%define parse.lac full
%locations
%param {reader_t *reader}

%code requires {
#include "ast.h"
#include "spec_lexer.h"

typedef struct reader reader_t;
}

%code provides {
/* All rules of a file, added to `ast`. */
void parse_rules(arena_t *arena, const tokens_t *tokens, ast_t *ast, diag_t *diag);

/* What one annotation in column one says, added to `ast`. */
void parse_directive(arena_t *arena, const tokens_t *tokens, ast_t *ast, diag_t *diag);

/* The notes of any other annotation, added to `notes`. */
void parse_notes(arena_t *arena, const tokens_t *tokens, ast_notes_t *notes, diag_t *diag);

/* Line and column, kind and text. */
void parse_print_token(const token_t *token, text_t *text);
}

%code {
#include <string.h>

#include "similar.h"
#include "source.h"

struct reader {
    arena_t *arena;         /* where the tree is made */
    diag_t *diag;           /* where complaints go */
    const tokens_t *tokens; /* what is read */
    size_t next;            /* the token to read next */
    int way_in;             /* the token to read before all others, or 0 */
    ast_t *ast;             /* where rules and directives go */
    ast_notes_t *notes;     /* where notes go */
};

/* Nothing stands behind what stands before it. */
#define YYLLOC_DEFAULT(current, rhs, count) \
    ((current) = (count) ? place_span(YYRHSLOC(rhs, 1), YYRHSLOC(rhs, count)) : end_of(YYRHSLOC(rhs, 0)))

static place_t end_of(place_t place);
static int spec_yylex(SPEC_YYSTYPE *value, place_t *place, reader_t *reader);
static void spec_yyerror(const place_t *place, reader_t *reader, const char *message);

static ast_node_t *leaf(const reader_t *reader, ast_kind_t kind, const token_t *token);
static ast_node_t *repeated(const reader_t *reader, ast_kind_t kind, const token_t *repeat, ast_node_t *node,
                            place_t place);
static ast_node_t *optional(const reader_t *reader, ast_node_t *node, place_t place);
static ast_rule_t *rule_of(const reader_t *reader, ast_rule_t *rule, ast_node_t *alternative);
static void add_rule(const reader_t *reader, ast_rule_t *rule, const token_t *name, bool is_addition);

static ast_name_t name_of(const token_t *token);
static void set_protocol(const reader_t *reader, const token_t *name, const token_t *title);
static void add_port(const reader_t *reader, const token_t *transport, const token_t *number);
static void set_depth(const reader_t *reader, const token_t *number);
static void add_register(const reader_t *reader, ast_register_t *reg, const token_t *name, bool is_shared);
static void add_queue(const reader_t *reader, ast_register_t *queue, const token_t *name, const token_t *capacity);
static ast_register_t *plain_type(const reader_t *reader, const token_t *type);
static ast_register_t *sized_type(const reader_t *reader, const token_t *type, const token_t *size);
static ast_register_t *keyword_type(const reader_t *reader, const token_t *type, const ast_note_t *words);
static void set_root(const reader_t *reader, root_kind_t kind, ast_node_t *node, place_t place);
static void add_remark(const reader_t *reader, const token_t *rule, const token_t *alternative);

static ast_note_t *note(const reader_t *reader, note_kind_t kind, place_t place);
static ast_note_t *queue_note(const reader_t *reader, note_kind_t kind, const token_t *queue, const token_t *reg,
                              const token_t *key, place_t place);
static ast_note_t *joined_note(ast_note_t *made, const token_t *separator, const token_t *name, place_t place);
static void add_word(const reader_t *reader, ast_note_t *note, const token_t *word);
static void add_entry(const reader_t *reader, ast_note_t *note, const token_t *name, const token_t *rule,
                      bool is_strict);
static ast_expr_t *operand(const reader_t *reader, expr_kind_t kind, const token_t *token);
static ast_expr_t *operation(const reader_t *reader, expr_kind_t kind, ast_expr_t *left, ast_expr_t *right,
                             place_t place);
}

%union {
    const token_t *token;
    ast_node_t *node;
    ast_rule_t *rule;
    ast_register_t *reg;
    ast_note_t *note;
    ast_expr_t *expr;
    bool flag;
}

%token END 0 "the end"
%token RULES_FOLLOW DIRECTIVE_FOLLOWS NOTES_FOLLOW

%token <token>
    RULE_NAME "a rule's name" NAME "a name" STRING "a string" SET "a value" PROSE "a prose value" NUMBER "a number"
    REPEAT "a repeat" LIST "#" IS "=" ADDS "=/" OR_ELSE "/" OPEN "(" CLOSE ")" OPEN_OPTION "[" CLOSE_OPTION "]"
    COMMA "," COLON ":" STRICT "!" ANY "?"
    DIFFERS "<>" LESS "<" LESS_EQUAL "<=" GREATER ">" GREATER_EQUAL ">=" PLUS "+" MINUS "-" TIMES "*" BITS "&"
    AND "and" OR "or" NOT "not" TRUE "true" FALSE "false"
    PROTOCOL "protocol" IMPORT "import" PORT "port" ENTERED "entered" DEPTH "depth" REGISTER "register" SHARED "shared" QUEUE "queue"
    CLIENT "client" SERVER "server" DATAGRAM "datagram" PROSE_IS "prose" RULE "rule"
    EMIT "emit" AS "as" STREAM "stream" RESET "reset" LENGTH "length" COUNT "count" UNTIL "until" LINE "line" CLOSING "close" WHEN "when"
    REFINE "refine" BY "by" CUT "cut" ATOMIC "atomic" ANOMALY "anomaly" PUSH "push" POP "pop" BECOME "become" BEFORE "before"
    RESYNC "resync" ORDERED "ordered"
    KEY "key" LOCAL "local" AT "at" JOINED "joined" FEED "feed" EXCERPT "excerpt" FINISH "finish" DECODE "decode" EXPECT "expect"
    UNIQUE "unique" CONVERSION "a conversion"

%left OR
%left AND
%precedence NOT
%nonassoc IS DIFFERS LESS LESS_EQUAL GREATER GREATER_EQUAL
%left BITS
%left PLUS MINUS
%left TIMES

%type <rule> alternatives
%type <node> alternation concatenation repetition element part
%type <reg> type
%type <note> note next joined words entries parts
%type <expr> expr
%type <token> rule_name prose ports word key expr_name contextual reserved entry_name
%type <flag> unique strict stream

%%

start:
  RULES_FOLLOW rules
| DIRECTIVE_FOLLOWS directive_line
| NOTES_FOLLOW notes
;

/* ---------------------------------------------------------------- rules: RFC 5234, 4 */

rules:
  %empty
| rules rule_name IS alternatives    { add_rule(reader, $4, $2, false); }
| rules rule_name ADDS alternatives  { add_rule(reader, $4, $2, true); }
;

/* After a mistake, the parser goes on with the next rule. */
rule_name:
  RULE_NAME
| error RULE_NAME                    { $$ = $2; yyerrok; }
;

/* RFC 2812 adds alternatives on lines below the rule without its name. */
alternatives:
  concatenation                   { $$ = rule_of(reader, NULL, $1); }
| alternatives "/" concatenation  { $$ = rule_of(reader, $1, $3); }
| alternatives "=/" concatenation { $$ = rule_of(reader, $1, $3); }
;

alternation:
  concatenation
| alternation "/" concatenation   { $$ = ast_join(reader->arena, AST_ALTERNATION, $1, $3); }
;

concatenation:
  repetition
| concatenation repetition        { $$ = ast_join(reader->arena, AST_CONCATENATION, $1, $2); }
;

repetition:
  element
| REPEAT element                  { $$ = repeated(reader, AST_REPETITION, $1, $2, @$); }
| LIST element                    { $$ = repeated(reader, AST_LIST, $1, $2, @$); }
;

element:
  NAME                            { $$ = leaf(reader, AST_NAME, $1); }
| STRING                          { $$ = leaf(reader, AST_STRING, $1); }
| SET                             { $$ = leaf(reader, AST_SET, $1); }
| PROSE                           { $$ = leaf(reader, AST_PROSE, $1); }
| "(" alternation ")"             { $$ = $2; }
| "[" alternation "]"             { $$ = optional(reader, $2, @$); }
;

/* ---------------------------------------------------------------- directives */

directive_line:
  directives
| RULE word ":" notes             { add_remark(reader, $2, NULL); }
| RULE word "/" NUMBER ":" notes  { add_remark(reader, $2, $4); }
;

directives:
  directive
| directives "," directive
;

directive:
  PROTOCOL word                   { set_protocol(reader, $2, $2); }
| PROTOCOL word STRING            { set_protocol(reader, $2, $3); }
| IMPORT STRING                   { vec_push(reader->arena, &reader->ast->imports, name_of($2)); }
| ports                           { }
| ENTERED                         { reader->ast->entered = $1->place; }
| DEPTH NUMBER                    { set_depth(reader, $2); }
| REGISTER word ":" type          { add_register(reader, $4, $2, false); }
| SHARED word ":" type            { add_register(reader, $4, $2, true); }
| QUEUE word "(" NUMBER ")" ":" type  { add_queue(reader, $7, $2, $4); }
| CLIENT "=" alternation          { set_root(reader, ROOT_CLIENT, $3, @1); }
| SERVER "=" alternation          { set_root(reader, ROOT_SERVER, $3, @1); }
| DATAGRAM "=" alternation        { set_root(reader, ROOT_DATAGRAM, $3, @1); }
| PROSE_IS prose "=" NAME {
      ast_binding_t binding = {.prose = name_of($2), .rule = name_of($4)};
      vec_push(reader->arena, &reader->ast->bindings, binding);
  }
;

prose: STRING | PROSE ;

ports:
  PORT word NUMBER                { $$ = $2; add_port(reader, $$, $3); }
| ports NUMBER                    { $$ = $1; add_port(reader, $$, $2); }
;

type:
  word                            { $$ = plain_type(reader, $1); }
| word "(" NUMBER ")"             { $$ = sized_type(reader, $1, $3); }
| word "(" words ")"              { $$ = keyword_type(reader, $1, $3); }
;

/* ---------------------------------------------------------------- notes */

notes:
  note                            { vec_push(reader->arena, reader->notes, $1); }
| notes "," note                  { vec_push(reader->arena, reader->notes, $3); }
;

note:
  EMIT stream                     { $$ = note(reader, NOTE_EMIT, @$); $$->is_stream = $2; }
| EMIT JOINED STRING joined       { $$ = joined_note($4, $3, NULL, @$); }
| EMIT JOINED STRING joined AS word { $$ = joined_note($4, $3, $6, @$); }
| EMIT stream AS word             { $$ = note(reader, NOTE_EMIT, @$); $$->is_stream = $2; $$->name = name_of($4); }
| word "=" CONVERSION unique {
      $$ = note(reader, NOTE_CONVERT, @$);
      $$->reg = name_of($1);
      $$->convert = grammar_conversion($3->text);
      $$->is_unique = $4;
  }
| word "=" expr unique {
      $$ = note(reader, NOTE_SET, @$);
      $$->reg = name_of($1);
      $$->expr = $3;
      $$->is_unique = $4;
  }
| RESET words                     { $$ = $2; $$->kind = NOTE_RESET; $$->place = @$; }
| EXPECT word word expr AS word   {
      $$ = note(reader, NOTE_EXPECT, @$);
      $$->transport = name_of($2);
      $$->reg = name_of($3);
      $$->expr = $4;
      $$->name = name_of($6);
  }
| FEED word                       { $$ = note(reader, NOTE_FEED, @$); $$->name = name_of($2); }
| FEED DATAGRAM word              { $$ = note(reader, NOTE_FEED, @$); $$->name = name_of($3); $$->is_datagram = true; }
| FEED EXCERPT word               { $$ = note(reader, NOTE_FEED, @$); $$->name = name_of($3); $$->is_excerpt = true; }
| FINISH word                     { $$ = note(reader, NOTE_FINISH, @$); $$->name = name_of($2); }
| DECODE word                     { $$ = note(reader, NOTE_DECODE, @$); $$->name = name_of($2); }
| DECODE word "(" word ")"        {
      $$ = note(reader, NOTE_DECODE, @$);
      $$->name = name_of($2);
      $$->reg = name_of($4);
  }
| DECODE BY word                  { $$ = note(reader, NOTE_DECODE, @$); $$->reg = name_of($3); }
| AT expr                         { $$ = note(reader, NOTE_AT, @$); $$->expr = $2; }
| LOCAL words                     { $$ = $2; $$->kind = NOTE_LOCAL; $$->place = @$; }
| LENGTH expr                     { $$ = note(reader, NOTE_LENGTH, @$); $$->expr = $2; }
| COUNT expr                      { $$ = note(reader, NOTE_COUNT, @$); $$->expr = $2; }
| UNTIL parts                     { $$ = $2; $$->kind = NOTE_UNTIL; $$->place = @$; }
| UNTIL LINE parts                { $$ = $3; $$->kind = NOTE_UNTIL; $$->place = @$; $$->is_line = true; }
| UNTIL CLOSING                   { $$ = note(reader, NOTE_UNTIL_CLOSE, @$); }
| WHEN expr                       { $$ = note(reader, NOTE_WHEN, @$); $$->expr = $2; }
| REFINE word BY word {
      $$ = note(reader, NOTE_REFINE, @$);
      $$->value = name_of($2);
      $$->by = name_of($4);
  }
| REFINE word BY word ":" entries {
      $$ = $6;
      $$->kind = NOTE_REFINE;
      $$->place = @$;
      $$->value = name_of($2);
      $$->by = name_of($4);
  }
| CUT                             { $$ = note(reader, NOTE_CUT, @$); }
| CUT word                        { $$ = note(reader, NOTE_CUT, @$); $$->rule = name_of($2); }
| ATOMIC                          { $$ = note(reader, NOTE_ATOMIC, @$); }
| ANOMALY word                    { $$ = note(reader, NOTE_ANOMALY, @$); $$->name = name_of($2); }
| PUSH word word key              { $$ = queue_note(reader, NOTE_PUSH, $2, $3, $4, @$); }
| POP word word key               { $$ = queue_note(reader, NOTE_POP, $2, $3, $4, @$); }
| BECOME next                     { $$ = $2; $$->place = @$; }
| BECOME next BEFORE SET          { $$ = $2; $$->place = @$; vec_push(reader->arena, &$$->parts, leaf(reader, AST_SET, $4)); }
| RESYNC                          { $$ = note(reader, NOTE_RESYNC, @$); }
| ORDERED                         { $$ = note(reader, NOTE_ORDERED, @$); }
;

stream:
  %empty                          { $$ = false; }
| STREAM                          { $$ = true; }
;

key:
  %empty                          { $$ = NULL; }
| KEY word                        { $$ = $2; }
;

unique:
  %empty                          { $$ = false; }
| UNIQUE                          { $$ = true; }
;

parts:
  part                            { $$ = note(reader, NOTE_UNTIL, @$); vec_push(reader->arena, &$$->parts, $1); }
| parts part                      { $$ = $1; vec_push(reader->arena, &$$->parts, $2); }
;

part:
  NAME                            { $$ = leaf(reader, AST_NAME, $1); }
| STRING                          { $$ = leaf(reader, AST_STRING, $1); }
| SET                             { $$ = leaf(reader, AST_SET, $1); }
;

next:
  word                            { $$ = note(reader, NOTE_BECOME, @$); $$->name = name_of($1); }
| ANY                             { $$ = note(reader, NOTE_BECOME, @$); $$->name = name_of($1); }
;

joined:
  word                            { $$ = note(reader, NOTE_EMIT, @$); add_word(reader, $$, $1); }
| joined AND word                 { $$ = $1; add_word(reader, $$, $3); }
;

words:
  entry_name                      { $$ = note(reader, NOTE_RESET, @$); add_word(reader, $$, $1); }
| words entry_name                { $$ = $1; add_word(reader, $$, $2); }
;

entries:
  entry_name strict               { $$ = note(reader, NOTE_REFINE, @$); add_entry(reader, $$, $1, $1, $2); }
| entry_name "=" word strict      { $$ = note(reader, NOTE_REFINE, @$); add_entry(reader, $$, $1, $3, $4); }
| entries entry_name strict       { $$ = $1; add_entry(reader, $$, $2, $2, $3); }
| entries entry_name "=" word strict  { $$ = $1; add_entry(reader, $$, $2, $4, $5); }
;

entry_name:
  word
| STRING
;

strict:
  %empty                          { $$ = false; }
| "!"                             { $$ = true; }
;

/* ---------------------------------------------------------------- expressions */

expr:
  NUMBER                          { $$ = operand(reader, EXPR_NUMBER, $1); }
| expr_name                       { $$ = operand(reader, EXPR_REGISTER, $1); }
| TRUE                            { $$ = operand(reader, EXPR_TRUE, $1); }
| FALSE                           { $$ = operand(reader, EXPR_FALSE, $1); }
| "(" expr ")"                    { $$ = $2; }
| NOT expr                        { $$ = operation(reader, EXPR_NOT, $2, NULL, @$); }
| expr OR expr                    { $$ = operation(reader, EXPR_OR, $1, $3, @$); }
| expr AND expr                   { $$ = operation(reader, EXPR_AND, $1, $3, @$); }
| expr IS expr                    { $$ = operation(reader, EXPR_EQ, $1, $3, @$); }
| expr DIFFERS expr               { $$ = operation(reader, EXPR_NE, $1, $3, @$); }
| expr LESS expr                  { $$ = operation(reader, EXPR_LT, $1, $3, @$); }
| expr LESS_EQUAL expr            { $$ = operation(reader, EXPR_LE, $1, $3, @$); }
| expr GREATER expr               { $$ = operation(reader, EXPR_GT, $1, $3, @$); }
| expr GREATER_EQUAL expr         { $$ = operation(reader, EXPR_GE, $1, $3, @$); }
| expr BITS expr                  { $$ = operation(reader, EXPR_AND_BITS, $1, $3, @$); }
| expr PLUS expr                  { $$ = operation(reader, EXPR_ADD, $1, $3, @$); }
| expr MINUS expr                 { $$ = operation(reader, EXPR_SUB, $1, $3, @$); }
| expr TIMES expr                 { $$ = operation(reader, EXPR_MUL, $1, $3, @$); }
;

expr_name: NAME | contextual ;

word: NAME | contextual | reserved ;

contextual:
  PROTOCOL | IMPORT | PORT | ENTERED | DEPTH | REGISTER | SHARED | QUEUE | CLIENT | SERVER | DATAGRAM | PROSE_IS | RULE
| EMIT | AS | STREAM | RESET | LENGTH | COUNT | UNTIL | LINE | CLOSING | WHEN | REFINE | BY | CUT | ATOMIC | ANOMALY | PUSH | POP
| BECOME | BEFORE | RESYNC | ORDERED
| KEY | LOCAL | AT | JOINED | FEED | EXCERPT | FINISH | DECODE | EXPECT
;

reserved:
  UNIQUE | CONVERSION | AND | OR | NOT | TRUE | FALSE
;

%%

/* ---------------------------------------------------------------- tokens and messages */

static place_t end_of(place_t place)
{
    return (place_t){.source = place.source, .offset = place.offset + place.len};
}

static int spec_yylex(SPEC_YYSTYPE *value, place_t *place, reader_t *reader)
{
    if (reader->way_in) {
        int kind = reader->way_in;
        reader->way_in = 0;
        *place = (place_t){.source = NULL};
        return kind;
    }
    const token_t *token = &reader->tokens->items[reader->next];
    if (token->kind != TOKEN_END)
        reader->next++;
    value->token = token;
    *place = token->place;
    return token->kind;
}

/* The only thing that the parser says without being asked is that its stack is full. */
static void spec_yyerror(const place_t *place, reader_t *reader, const char *message)
{
    (void)message;
    diag_error(reader->diag, *place, "this is nested too deep");
}

#define SHOWN_MAX 40   /* bytes of a token in a message */
#define EXPECTED_MAX 4 /* a longer list of what could stand here helps nobody */

static bool is_among(const yysymbol_kind_t *symbols, int count, yysymbol_kind_t symbol)
{
    for (int i = 0; i < count; i++)
        if (symbols[i] == symbol)
            return true;
    return false;
}

/* ": expected `a` or `b`", or nothing if that would be a long list. */
static const char *expected_text(const reader_t *reader, const yysymbol_kind_t *expected, int count)
{
    text_t text;

    text_init(&text, reader->arena);
    if (is_among(expected, count, YYSYMBOL_REPEAT))
        text_print(&text, ": expected an element");
    for (int i = 0; i < count && count <= EXPECTED_MAX; i++) {
        const char *name = yysymbol_name(expected[i]);
        bool is_sign = !strchr(name, ' ');
        text_print(&text, "%s%s%s%s", i ? " or " : ": expected ", is_sign ? "`" : "", name, is_sign ? "`" : "");
    }
    return text.bytes;
}

/* A rule or an annotation ends too early. */
static void report_missing(const reader_t *reader, place_t place, const yysymbol_kind_t *expected, int count)
{
    if (is_among(expected, count, YYSYMBOL_CLOSE))
        diag_error(reader->diag, place, "a `)` is missing here");
    else if (is_among(expected, count, YYSYMBOL_CLOSE_OPTION))
        diag_error(reader->diag, place, "a `]` is missing here");
    else
        diag_error(reader->diag, place, "something is missing here%s", expected_text(reader, expected, count));
}

/* "; did you mean `stream`?", or nothing if no word among the symbols is like the text. */
static const char *likely_text(const reader_t *reader, const char *text, const yysymbol_kind_t *symbols, int count)
{
    const char *words[YYNTOKENS];
    size_t word_count = 0;

    for (int i = 0; i < count; i++) {
        const char *name = yysymbol_name(symbols[i]);
        if (name[0] >= 'a' && name[0] <= 'z' && !strchr(name, ' '))
            words[word_count++] = name;
    }
    const char *likely = similar_find(text, words, word_count);
    return likely ? arena_print(reader->arena, "; did you mean `%s`?", likely) : "";
}

static void report_word(const reader_t *reader, const token_t *token, const yysymbol_kind_t *expected, int count)
{
    int len = token->place.len < SHOWN_MAX ? (int)token->place.len : SHOWN_MAX;
    const char *text = token->place.source->text + token->place.offset;
    const char *likely = token->kind == TOKEN_NAME ? likely_text(reader, token->text, expected, count) : "";

    if (token->kind == TOKEN_NAME && is_among(expected, count, YYSYMBOL_PROTOCOL) &&
        !is_among(expected, count, YYSYMBOL_NAME))
        diag_error(reader->diag, token->place, "no directive is called `%.*s`%s", len, text, likely);
    else
        diag_error(reader->diag, token->place, "`%.*s` does not fit here%s", len, text,
                   *likely ? likely : expected_text(reader, expected, count));
}

/* A word at the beginning of a note that only `=` could follow was meant as an annotation, or it is a directive. */
static bool is_no_annotation(const token_t *before, const yysymbol_kind_t *expected, int count)
{
    return before && count == 1 && expected[0] == YYSYMBOL_IS &&
           (before->kind == TOKEN_NAME || (before->kind >= TOKEN_PROTOCOL && before->kind <= TOKEN_RULE));
}

static void report_no_annotation(const reader_t *reader, const token_t *word)
{
    yysymbol_kind_t begins[YYNTOKENS];
    int count = 0;

    for (int symbol = YYSYMBOL_EMIT; symbol <= YYSYMBOL_EXPECT; symbol++)
        begins[count++] = (yysymbol_kind_t)symbol;
    const char *likely = likely_text(reader, word->text, begins, count);
    if (word->kind != TOKEN_NAME)
        diag_error(reader->diag, word->place, "`%s` is a directive, which stands in column one", word->text);
    else
        diag_error(reader->diag, word->place, "no annotation is called `%s`%s", word->text,
                   *likely ? likely : "; a register would be set with `=`");
}

/* Is what stands before that token an annotation: beside a rule, or behind `rule NAME:`? */
static bool is_in_notes(const reader_t *reader, size_t number)
{
    bool is_note = !reader->ast;

    for (size_t i = 0; i + 1 < number && reader->notes; i++)
        is_note |= reader->tokens->items[i].kind == TOKEN_RULE;
    return is_note;
}

static int yyreport_syntax_error(const yypcontext_t *context, reader_t *reader)
{
    yysymbol_kind_t found = yypcontext_token(context), expected[YYNTOKENS];
    int count = yypcontext_expected_tokens(context, expected, YYNTOKENS);
    size_t number = found == YYSYMBOL_YYEOF ? reader->next : reader->next - 1;
    const token_t *token = &reader->tokens->items[number], *before = number ? token - 1 : NULL;

    if (token->is_behind_mistake)
        return 0;
    bool is_note = is_in_notes(reader, number);

    if (is_note && is_no_annotation(before, expected, count))
        report_no_annotation(reader, before);
    else if (is_note && number >= 2 && before->kind == TOKEN_IS && before[-1].kind >= TOKEN_CLIENT &&
             before[-1].kind <= TOKEN_DATAGRAM) /* `client = *request` */
        report_no_annotation(reader, before - 1);
    else if (before && (found == YYSYMBOL_YYEOF || found == YYSYMBOL_RULE_NAME))
        report_missing(reader, end_of(before->place), expected, count);
    else if (found == YYSYMBOL_YYEOF)
        report_missing(reader, token->place, expected, count);
    else
        report_word(reader, token, expected, count);
    return 0;
}

/* ---------------------------------------------------------------- building rules */

static ast_node_t *leaf(const reader_t *reader, ast_kind_t kind, const token_t *token)
{
    ast_node_t *node = ast_node_new(reader->arena, kind, token->place);

    node->text = token->text;
    node->len = token->len;
    node->is_case_sensitive = token->is_case_sensitive;
    node->first = token->first;
    node->last = token->last;
    node->width = token->width;
    return node;
}

static ast_node_t *repeated(const reader_t *reader, ast_kind_t kind, const token_t *repeat, ast_node_t *node,
                            place_t place)
{
    ast_node_t *repetition = ast_node_new(reader->arena, kind, place);

    repetition->min = repeat->low;
    repetition->max = repeat->high;
    vec_push(reader->arena, &repetition->children, node);
    return repetition;
}

static ast_node_t *optional(const reader_t *reader, ast_node_t *node, place_t place)
{
    token_t repeat = {.low = 0, .high = 1};

    return repeated(reader, AST_REPETITION, &repeat, node, place);
}

/* `rule` with one more alternative; NULL is a rule that has none yet. */
static ast_rule_t *rule_of(const reader_t *reader, ast_rule_t *rule, ast_node_t *alternative)
{
    ast_alternative_t added = {.node = alternative};

    if (!rule)
        rule = ARENA_NEW(reader->arena, ast_rule_t);
    vec_push(reader->arena, &rule->alternatives, added);
    return rule;
}

static void add_rule(const reader_t *reader, ast_rule_t *rule, const token_t *name, bool is_addition)
{
    rule->name = name_of(name);
    rule->is_addition = is_addition;
    rule->section = "";
    vec_push(reader->arena, &reader->ast->rules, rule);
}

/* ---------------------------------------------------------------- building directives */

static ast_name_t name_of(const token_t *token)
{
    return (ast_name_t){.text = token->text, .place = token->place};
}

static void set_protocol(const reader_t *reader, const token_t *name, const token_t *title)
{
    if (reader->ast->protocol.text)
        diag_error(reader->diag, name->place, "`protocol` stands twice");
    reader->ast->protocol = name_of(name);
    reader->ast->title = name_of(title);
}

static void add_port(const reader_t *reader, const token_t *transport, const token_t *number)
{
    ast_port_t port = {.transport = name_of(transport), .number = (unsigned)(number->number & 0xffff)};

    if (strcmp(transport->text, "tcp") != 0 && strcmp(transport->text, "udp") != 0)
        diag_error(reader->diag, transport->place, "ports are `tcp` or `udp`");
    if (number->number == 0 || number->number > 0xffff)
        diag_error(reader->diag, number->place, "a port is 1 to 65535");
    vec_push(reader->arena, &reader->ast->ports, port);
}

static void set_depth(const reader_t *reader, const token_t *number)
{
    if (number->number == 0 || number->number > GRAMMAR_DEPTH_MAX)
        diag_error(reader->diag, number->place, "a depth is 1 to %u", GRAMMAR_DEPTH_MAX);
    reader->ast->depth = (unsigned)number->number;
}

static void add_register(const reader_t *reader, ast_register_t *reg, const token_t *name, bool is_shared)
{
    reg->name = name_of(name);
    reg->is_shared = is_shared;
    vec_push(reader->arena, &reader->ast->registers, reg);
}

static void add_queue(const reader_t *reader, ast_register_t *queue, const token_t *name, const token_t *capacity)
{
    const unsigned capacity_max = 65535;

    queue->name = name_of(name);
    queue->capacity = (unsigned)(capacity->number & capacity_max);
    if (capacity->number == 0 || capacity->number > capacity_max)
        diag_error(reader->diag, capacity->place, "a queue holds 1 to %u entries", capacity_max);
    if (queue->type == REGISTER_BYTES || queue->keywords.count)
        diag_error(reader->diag, name->place, "a queue is of type `uint`, `flag` or `keyword`");
    vec_push(reader->arena, &reader->ast->queues, queue);
}

static ast_register_t *type_of(const reader_t *reader, register_type_t type)
{
    ast_register_t *reg = ARENA_NEW(reader->arena, ast_register_t);

    reg->type = type;
    return reg;
}

static void unknown_type(const reader_t *reader, const token_t *type)
{
    if (strcmp(type->text, "uint") == 0 || strcmp(type->text, "flag") == 0) {
        diag_error(reader->diag, type->place, "`%s` stands without a size", type->text);
        return;
    }
    diag_error(reader->diag, type->place, "no type `%s`: there are `uint`, `flag`, `bytes(N)` and `keyword(A B …)`",
               type->text);
}

/* `keyword` alone is the type of a queue; resolve() wants words of a register. */
static ast_register_t *plain_type(const reader_t *reader, const token_t *type)
{
    if (strcmp(type->text, "flag") == 0)
        return type_of(reader, REGISTER_FLAG);
    if (strcmp(type->text, "keyword") == 0)
        return type_of(reader, REGISTER_KEYWORD);
    if (strcmp(type->text, "uint") != 0)
        unknown_type(reader, type);
    return type_of(reader, REGISTER_UINT);
}

static ast_register_t *sized_type(const reader_t *reader, const token_t *type, const token_t *size)
{
    const unsigned size_max = 65535;
    ast_register_t *reg = type_of(reader, REGISTER_BYTES);

    if (strcmp(type->text, "bytes") != 0)
        unknown_type(reader, type);
    else if (size->number == 0 || size->number > size_max)
        diag_error(reader->diag, size->place, "a register holds 1 to %u bytes", size_max);
    reg->size = (unsigned)(size->number & size_max);
    return reg;
}

static ast_register_t *keyword_type(const reader_t *reader, const token_t *type, const ast_note_t *words)
{
    ast_register_t *reg = type_of(reader, REGISTER_KEYWORD);

    if (strcmp(type->text, "keyword") != 0)
        unknown_type(reader, type);
    for (size_t i = 0; i < words->regs.count; i++)
        vec_push(reader->arena, &reg->keywords, words->regs.items[i]);
    return reg;
}

static void set_root(const reader_t *reader, root_kind_t kind, ast_node_t *node, place_t place)
{
    if (reader->ast->roots[kind])
        diag_error(reader->diag, place, "`%.*s` stands twice", (int)place.len, place.source->text + place.offset);
    reader->ast->roots[kind] = node;
}

/* The notes have been read by now, to where the reader was told to put them. */
static void add_remark(const reader_t *reader, const token_t *rule, const token_t *alternative)
{
    ast_remark_t remark = {.rule = name_of(rule), .notes = *reader->notes};

    if (alternative && (alternative->number == 0 || alternative->number > REPEAT_UNBOUNDED))
        diag_error(reader->diag, alternative->place, "alternatives are counted from 1");
    else if (alternative)
        remark.alternative = (unsigned)alternative->number;
    vec_push(reader->arena, &reader->ast->remarks, remark);
}

/* ---------------------------------------------------------------- building notes */

static ast_note_t *note(const reader_t *reader, note_kind_t kind, place_t place)
{
    ast_note_t *made = ARENA_NEW(reader->arena, ast_note_t);

    made->kind = kind;
    made->place = place;
    return made;
}

/* `key` is NULL where there is none. */
static ast_note_t *queue_note(const reader_t *reader, note_kind_t kind, const token_t *queue, const token_t *reg,
                              const token_t *key, place_t place)
{
    ast_note_t *made = note(reader, kind, place);

    made->queue = name_of(queue);
    made->reg = name_of(reg);
    if (key)
        made->key = name_of(key);
    return made;
}

/* `name` is NULL where there is none. */
static ast_note_t *joined_note(ast_note_t *made, const token_t *separator, const token_t *name, place_t place)
{
    made->place = place;
    made->separator = separator->text;
    if (name)
        made->name = name_of(name);
    return made;
}

static void add_word(const reader_t *reader, ast_note_t *note, const token_t *word)
{
    vec_push(reader->arena, &note->regs, name_of(word));
}

static void add_entry(const reader_t *reader, ast_note_t *note, const token_t *name, const token_t *rule,
                      bool is_strict)
{
    ast_entry_t entry = {.name = name_of(name), .rule = name_of(rule), .is_strict = is_strict};

    vec_push(reader->arena, &note->entries, entry);
}

static ast_expr_t *operand(const reader_t *reader, expr_kind_t kind, const token_t *token)
{
    ast_expr_t *expr = ARENA_NEW(reader->arena, ast_expr_t);

    expr->kind = kind;
    expr->place = token->place;
    expr->number = token->number;
    expr->name = token->text;
    return expr;
}

/* `right` is NULL where there is one operand only. */
static ast_expr_t *operation(const reader_t *reader, expr_kind_t kind, ast_expr_t *left, ast_expr_t *right,
                             place_t place)
{
    ast_expr_t *expr = ARENA_NEW(reader->arena, ast_expr_t);

    *expr = (ast_expr_t){.kind = kind, .place = place, .left = left, .right = right, .depth = left->depth + 1};
    if (right && right->depth >= expr->depth)
        expr->depth = right->depth + 1;
    if (expr->depth == SPEC_DEPTH_MAX + 1) /* and no more often: what encloses it is deeper still */
        diag_error(reader->diag, place, "an expression of more than %d operations in a chain", SPEC_DEPTH_MAX);
    return expr;
}

/* ---------------------------------------------------------------- printing */

void parse_print_token(const token_t *token, text_t *text)
{
    const char *kind = yysymbol_name(YYTRANSLATE(token->kind));
    source_position_t position = source_position(token->place.source, token->place.offset);

    text_print(text, "%u:%u ", position.line, position.column);
    if (strlen(kind) == token->place.len &&
        memcmp(kind, token->place.source->text + token->place.offset, token->place.len) == 0)
        text_print(text, "%s\n", kind);
    else
        text_print(text, "%s %.*s\n", kind, (int)token->place.len, token->place.source->text + token->place.offset);
}

/* ---------------------------------------------------------------- the ways in */

void parse_rules(arena_t *arena, const tokens_t *tokens, ast_t *ast, diag_t *diag)
{
    spec_yyparse(&(reader_t){.arena = arena, .diag = diag, .tokens = tokens, .ast = ast, .way_in = TOKEN_RULES_FOLLOW});
}

void parse_directive(arena_t *arena, const tokens_t *tokens, ast_t *ast, diag_t *diag)
{
    ast_notes_t notes = {.count = 0};

    spec_yyparse(&(reader_t){.arena = arena,
                            .diag = diag,
                            .tokens = tokens,
                            .ast = ast,
                            .notes = &notes,
                            .way_in = TOKEN_DIRECTIVE_FOLLOWS});
}

void parse_notes(arena_t *arena, const tokens_t *tokens, ast_notes_t *notes, diag_t *diag)
{
    spec_yyparse(
        &(reader_t){.arena = arena, .diag = diag, .tokens = tokens, .notes = notes, .way_in = TOKEN_NOTES_FOLLOW});
}
