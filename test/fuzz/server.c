/*
 * server.c
 *		libFuzzer inside a real backend: a module for tests, never installed.
 *
 * What is tested is an SQL function of one bytea.  It runs as any function
 * does, under the server's executor, memory contexts and error handling, while
 * libFuzzer sees the coverage of the extension, which test/fuzz/run has built
 * for that.  An error is what broken input should get, and is forgotten with
 * its subtransaction.  A finding is a crash, an internal error, an answer other
 * than true, an error for want of memory, and memory that does not come back.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(fuzz_run);
PG_FUNCTION_INFO_V1(fuzz_receive);

/* Of libFuzzer; does not return when all has gone well, but exits with 0. */
extern int	LLVMFuzzerRunDriver(int *argc, char ***argv,
								int (*callback) (const uint8_t *bytes, size_t size));

/* What the backend may hold after an input: the rest must have been given back. */
#define MAX_HELD	((Size) 64 * 1024 * 1024)

static FmgrInfo target;
static MemoryContext input_context;

static void
finding(const char *what, const char *detail)
{
	fprintf(stderr, "not so: %s%s%s\n", what, detail != NULL ? ": " : "",
			detail != NULL ? detail : "");
	abort();
}

/* Is that error a defect, whatever the input was? */
static bool
is_defect(int sqlstate)
{
	int			class = ERRCODE_TO_CATEGORY(sqlstate);

	return class == ERRCODE_TO_CATEGORY(ERRCODE_INTERNAL_ERROR) ||
		class == ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES) ||
		class == ERRCODE_TO_CATEGORY(ERRCODE_ASSERT_FAILURE) ||
		sqlstate == ERRCODE_UNDEFINED_FUNCTION || sqlstate == ERRCODE_SYNTAX_ERROR;
}

static int
one_input(const uint8_t *bytes, size_t size)
{
	MemoryContext outside = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	bytea	   *input;

	MemoryContextReset(input_context);
	input = MemoryContextAlloc(input_context, VARHDRSZ + size);
	SET_VARSIZE(input, VARHDRSZ + size);
	memcpy(VARDATA(input), bytes, size);

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(input_context);
	PG_TRY();
	{
		if (!DatumGetBool(FunctionCall1(&target, PointerGetDatum(input))))
			finding("the answer is not true", NULL);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(input_context);
		error = CopyErrorData();
		FlushErrorState();
		if (is_defect(error->sqlerrcode))
		{
			fprintf(stderr, "%s\n%s\n", unpack_sql_state(error->sqlerrcode),
					error->context != NULL ? error->context : "");
			finding("the error is one that users should never see", error->message);
		}
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(outside);
	CurrentResourceOwner = owner;

	if (MemoryContextMemAllocated(TopMemoryContext, true) > MAX_HELD)
	{
		MemoryContextStats(TopMemoryContext);
		finding("memory is given back after an input", NULL);
	}
	return 0;
}

/*
 * fuzz.run(target regproc, options text[]) RETURNS void
 *
 * The options are libFuzzer's, and the folders of the corpus.  Ends the
 * process: with 0 when there was no finding.
 */
Datum
fuzz_run(PG_FUNCTION_ARGS)
{
	Datum	   *options;
	int			noptions;
	int			argc = 1;
	char	  **argv;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT,
					  &options, NULL, &noptions);
	argv = palloc0(sizeof(char *) * (noptions + 2));
	argv[0] = my_exec_path;
	for (int i = 0; i < noptions; i++)
		argv[argc++] = TextDatumGetCString(options[i]);

	fmgr_info(PG_GETARG_OID(0), &target);
	input_context = AllocSetContextCreate(CurrentMemoryContext, "fuzzed input",
										  ALLOCSET_DEFAULT_SIZES);
	(void) LLVMFuzzerRunDriver(&argc, &argv, one_input);
	PG_RETURN_VOID();
}

/*
 * fuzz.receive(sample anyelement, message bytea) RETURNS anyelement
 *
 * What the type's binary receive function makes of a message, as when a client
 * sends it.  The sample is there for its type, and may be NULL.
 */
Datum
fuzz_receive(PG_FUNCTION_ARGS)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 0);
	bytea	   *message;
	StringInfoData buffer;
	Oid			function;
	Oid			parameter;
	Datum		result;

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	message = PG_GETARG_BYTEA_PP(1);
	initStringInfo(&buffer);
	appendBinaryStringInfo(&buffer, VARDATA_ANY(message), VARSIZE_ANY_EXHDR(message));
	getTypeBinaryInputInfo(type, &function, &parameter);
	result = OidReceiveFunctionCall(function, &buffer, parameter, -1);

	/* The server's own check of a parameter. */
	if (buffer.cursor != buffer.len)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("incorrect binary data format")));
	PG_RETURN_DATUM(result);
}
