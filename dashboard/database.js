// What the data loaders share: a question to the database that libpq's variables or DATABASE_URL name.
import pg from "pg";

// Instants, counts and times of the reports as the server says them: a page must not read them by the zone of the reader.
const asText = { getTypeParser: () => (text) => text };

export async function answer(...questions) {
	const client = new pg.Client(process.env.DATABASE_URL ? { connectionString: process.env.DATABASE_URL } : {});
	await client.connect();
	try {
		// One snapshot for all that belongs together.
		await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
		const answers = [];
		for (const text of questions) answers.push((await client.query({ text, types: asText })).rows);
		return answers;
	} finally {
		await client.end();
	}
}

// Prints the one column of the one row, which is JSON.
export async function print(question) {
	const [[row]] = await answer(question);
	process.stdout.write(Object.values(row)[0] ?? "null");
}
