/*
 * opening_hours_fuzz.c
 *		libFuzzer: no text may break the opening_hours notation, and what is
 *		accepted is printed as a text that means the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/core/opening_hours.h"

static long live = 0;

static void *
fuzz_alloc(void *arg, size_t size)
{
	void	   *pointer = malloc(size > 0 ? size : 1);

	(void) arg;
	if (pointer == NULL)
		abort();
	memset(pointer, 0xA5, size);
	live++;
	return pointer;
}

static void
fuzz_release(void *arg, void *pointer)
{
	(void) arg;
	live--;
	free(pointer);
}

static void
fuzz_interrupt(void *arg)
{
	(void) arg;
}

static void
demand(bool condition, const char *what)
{
	if (!condition)
	{
		fprintf(stderr, "not so: %s\n", what);
		abort();
	}
}

static void
check_windows(const sla_hours *hours, const sla_window *windows, int n)
{
	demand(n >= 0 && n <= sla_hours_max_windows(hours), "as many as announced");
	for (int i = 0; i < n; i++)
	{
		demand(windows[i].from >= 0 && windows[i].from < windows[i].to &&
			   windows[i].to <= 2 * SLA_SECS_PER_DAY, "windows are in two days");
		demand(i == 0 || windows[i].from > windows[i - 1].to,
			   "windows are sorted and apart");
	}
}

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What rules are said to have opened is what is open. */
static void
check_rulings(const sla_hours *hours, sla_date date, bool holiday,
			  const sla_window *windows, int nwindows)
{
	int			max = sla_hours_max_rulings(hours);
	sla_ruling *rulings = malloc((size_t) max * sizeof(sla_ruling));
	int			closer;
	int			n = sla_hours_rulings(hours, date, holiday, rulings, &closer);
	int64_t		sum = 0;

	demand(n >= 0 && n <= max / 2, "there is room for the rulings");
	for (int i = 0; i < nwindows; i++)
		sum += windows[i].to - windows[i].from;
	for (int i = 0; i < n; i++)
	{
		char		text[64];

		demand(rulings[i].from < rulings[i].to &&
			   (i == 0 || rulings[i].from >= rulings[i - 1].to), "rulings are sorted");
		if (rulings[i].open)
			sum -= rulings[i].to - rulings[i].from;
		demand(sla_hours_print_rule(hours, rulings[i].rule, text, sizeof(text)) > 0,
			   "a rule has a text");
	}
	demand(sum == 0, "rulings open as much as windows");
	free(rulings);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const sla_env env = {fuzz_alloc, fuzz_release, fuzz_interrupt, NULL};
	sla_fault	fault;
	sla_hours  *hours;
	sla_hours  *again;
	sla_window *left;
	sla_window *right;
	char	   *text;
	char	   *second;
	size_t		length;
	uint64_t	chance = 88172645463325252u + size;

	/* A copy of its own, so that reading past the end is seen. */
	text = malloc(size > 0 ? size : 1);
	if (size > 0)
		memcpy(text, data, size);
	hours = sla_hours_parse(&env, text, size, &fault);
	free(text);
	if (hours == NULL)
	{
		demand(fault.position <= size && fault.position + fault.length <= size,
			   "the fault lies in the text");
		demand(memchr(fault.reason, '\0', sizeof(fault.reason)) != NULL &&
			   fault.reason[0] != '\0', "there is a reason");
		demand(live == 0, "all is released");
		return 0;
	}

	length = sla_hours_print(hours, NULL, 0);
	text = malloc(length + 1);
	demand(sla_hours_print(hours, text, length + 1) == length,
		   "the length does not depend on the room");
	again = sla_hours_parse(&env, text, length, &fault);
	demand(again != NULL, "what is printed is accepted");
	second = malloc(length + 1);
	demand(sla_hours_print(again, second, length + 1) == length &&
		   memcmp(text, second, length + 1) == 0, "printing is stable");
	demand(sla_hours_names_holidays(hours) == sla_hours_names_holidays(again),
		   "holidays are named in both");

	left = malloc(sla_hours_max_windows(hours) * sizeof(sla_window));
	right = malloc(sla_hours_max_windows(again) * sizeof(sla_window));
	for (int i = 0; i < 40; i++)
	{
		sla_date	date;
		int			n;

		chance ^= chance << 13;
		chance ^= chance >> 7;
		chance ^= chance << 17;
		/* Mostly 2000 to 2045, at times any. */
		date = i < 32 ? (sla_date) (chance % 16384) : (sla_date) chance;
		if (i == 0)
			date = INT32_MAX;
		if (i == 1)
			date = INT32_MIN;
		n = sla_hours_on(hours, date, (i & 1) != 0, left);
		check_windows(hours, left, n);
		demand(sla_hours_on(again, date, (i & 1) != 0, right) == n &&
			   memcmp(left, right, n * sizeof(sla_window)) == 0,
			   "what is printed means the same");
		check_rulings(hours, date, (i & 1) != 0, left, n);
	}
	free(left);
	free(right);
	free(text);
	free(second);
	fuzz_release(NULL, hours);
	fuzz_release(NULL, again);
	demand(live == 0, "all is released");
	return 0;
}
