/*
 * token.h
 *		The words of an SQL text, as the server's own scanner sees them.
 */
#ifndef SLA_TOKEN_H
#define SLA_TOKEN_H

#include "pg_sla.h"

/*
 * What a token is: a character that stands for itself, SLA_END, or one of
 * these.  The numbers up to SLA_NOT_EQUALS are those that the scanner gives
 * to every parser that uses it.
 */
typedef enum SlaTokenKind
{
	SLA_END = 0,
	SLA_IDENT = 258,
	SLA_UIDENT,
	SLA_FCONST,
	SLA_SCONST,
	SLA_USCONST,
	SLA_BCONST,
	SLA_XCONST,
	SLA_OP,
	SLA_ICONST,
	SLA_PARAM,
	SLA_TYPECAST,
	SLA_DOT_DOT,
	SLA_COLON_EQUALS,
	SLA_EQUALS_GREATER,
	SLA_LESS_EQUALS,
	SLA_GREATER_EQUALS,
	SLA_NOT_EQUALS,
	SLA_KEYWORD = 1000
} SlaTokenKind;

typedef struct SlaToken
{
	int			kind;
	int			start;			/* offset in the text, in bytes */
	int			end;			/* of what was written */
	const char *word;			/* what an identifier, a string or an operator says, a
								 * keyword in lower case, a number as written; else NULL */
} SlaToken;

/*
 * The tokens of text with an SLA_END behind them, in the current memory
 * context.  Strings are read as with standard_conforming_strings.  A string or
 * comment without an end is an error.
 */
extern SlaToken *sla_tokens(const char *text, int *n);

/* Is it of that kind, and says that? */
extern bool sla_token_is(const SlaToken *token, SlaTokenKind kind, const char *word);

#endif							/* SLA_TOKEN_H */
