/*
 * token.c
 *		The words of an SQL text, as the server's own scanner sees them.
 */
#include "pg_sla.h"

#include "common/keywords.h"
#include "parser/parser.h"
#include "parser/scanner.h"
#include "parser/scansup.h"
#include "utils/memutils.h"

#include "token.h"

/* Every keyword of the server is of one kind here; its word tells which. */
static const uint16 *
keyword_tokens(void)
{
	static uint16 *tokens = NULL;

	if (tokens == NULL)
	{
		uint16	   *all = MemoryContextAlloc(TopMemoryContext,
											 ScanKeywords.num_keywords * sizeof(uint16));

		for (int i = 0; i < ScanKeywords.num_keywords; i++)
			all[i] = SLA_KEYWORD;
		tokens = all;
	}
	return tokens;
}

/* Where what begins at start, before the next token, ends. */
static int
end_of_token(const char *text, int start, int next)
{
	while (next > start && scanner_isspace(text[next - 1]))
		next--;
	return next;
}

SlaToken *
sla_tokens(const char *text, int *n)
{
	core_yy_extra_type extra;
	core_yyscan_t scanner = scanner_init(text, &extra, &ScanKeywords, keyword_tokens());
	int			room = 32;
	SlaToken   *tokens = palloc(room * sizeof(SlaToken));

	extra.backslash_quote = BACKSLASH_QUOTE_SAFE_ENCODING;
	extra.standard_conforming_strings = true;
	extra.escape_string_warning = false;
	for (*n = 0;; (*n)++)
	{
		core_YYSTYPE value = {0};
		YYLTYPE		location = 0;
		SlaToken   *token;

		if (*n == room)
		{
			room *= 2;
			tokens = repalloc(tokens, room * sizeof(SlaToken));
		}
		token = &tokens[*n];
		token->kind = core_yylex(&value, &location, scanner);
		token->start = token->end = location;
		token->word = NULL;
		if (token->kind == SLA_KEYWORD)
			token->word = value.keyword;
		else if (token->kind == SLA_IDENT || token->kind == SLA_FCONST ||
				 token->kind == SLA_SCONST || token->kind == SLA_OP)
			token->word = pstrdup(value.str);
		else if (token->kind == SLA_ICONST)
			token->word = psprintf("%d", value.ival);
		if (*n > 0)
			tokens[*n - 1].end = end_of_token(text, tokens[*n - 1].start, location);
		if (token->kind == SLA_END)
			break;
	}
	scanner_finish(scanner);
	return tokens;
}

bool
sla_token_is(const SlaToken *token, SlaTokenKind kind, const char *word)
{
	return token->kind == (int) kind && strcmp(token->word, word) == 0;
}
