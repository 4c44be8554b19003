/*
 * opening_hours.h
 *		The opening_hours notation: text to rules, rules to the windows of a day.
 *
 * The notation is OpenStreetMap's, less what cannot be decided from a date:
 * https://wiki.openstreetmap.org/wiki/Key:opening_hours/specification
 */
#ifndef SLA_OPENING_HOURS_H
#define SLA_OPENING_HOURS_H

#include "core.h"

/* Parsed opening hours; never changed after parsing. */
typedef struct sla_hours sla_hours;

/*
 * A window [from, to) of a local date, in wall-clock seconds after its
 * midnight: 0 <= from < to <= 172800.  All of it belongs to that date, also
 * what is past 24:00.  It may be longer than a day ("01:00-26:00"), and it may
 * begin past 24:00, where a rule has closed what was before ("22:00-30:00"
 * less "23:00-25:00 off" leaves 25:00-30:00).
 */
typedef struct sla_window
{
	int32_t		from;
	int32_t		to;
} sla_window;

/*
 * Parse; NULL when the text is refused, and *fault says where and why.  The
 * result and all it needs is one allocation of env, released by its pointer.
 */
extern sla_hours *sla_hours_parse(const sla_env *env, const char *text,
								  size_t length, sla_fault *fault);

/*
 * Write the canonical text, always terminated when size > 0; returns the
 * length it has in full, like snprintf.  Parsing it again gives equal rules
 * and the same canonical text.
 */
extern size_t sla_hours_print(const sla_hours *hours, char *buffer, size_t size);

/* Does a rule name PH?  If none does, a holiday closes its day. */
extern bool sla_hours_names_holidays(const sla_hours *hours);

/*
 * The years outside of which the rules repeat every 400 years: false when
 * they do everywhere, that is, no rule names a year.  From the first year
 * before `first` downwards and the first after `last` upwards the rules are
 * periodic.
 */
extern bool sla_hours_named_years(const sla_hours *hours, int *first, int *last);

/* An upper bound of what sla_hours_on can return; at least 1. */
extern int	sla_hours_max_windows(const sla_hours *hours);

/*
 * The windows that begin on a local date, sorted, neither touching nor
 * overlapping; returns how many.  `holiday` says whether the date is one.
 * The caller deals with a holiday that has hours of its own, and with one of
 * which the rules say nothing.
 */
extern int	sla_hours_on(const sla_hours *hours, sla_date day, bool holiday,
						 sla_window *windows);

/*
 * What decided a piece [from, to) of a date, in the seconds of a window: the
 * rule that opened it, or the one that closed it after another had opened it.
 * Rules count from 0 in the order of the text.
 */
typedef struct sla_ruling
{
	int32_t		from;
	int32_t		to;
	int			rule;
	bool		open;
} sla_ruling;

/* The room that sla_hours_rulings needs. */
extern int	sla_hours_max_rulings(const sla_hours *hours);

/*
 * The rulings on a local date, sorted, none overlapping; returns how many.
 * What is open in them is what sla_hours_on gives, and where they say nothing
 * no rule opens.  When nothing is open at all and some rule saw to that,
 * *closer is the last that did, else -1.
 */
extern int	sla_hours_rulings(const sla_hours *hours, sla_date day, bool holiday,
							  sla_ruling *rulings, int *closer);

/* As sla_hours_print, of one rule without what separates it from others. */
extern size_t sla_hours_print_rule(const sla_hours *hours, int rule,
								   char *buffer, size_t size);

#endif							/* SLA_OPENING_HOURS_H */
