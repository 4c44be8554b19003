"""What every Python peer is asked, and how it answers.

    PROGRAM KIND ZONE DAYS OPEN CLOSE HOLIDAYS AMOUNT QUESTIONS ANSWERS LIMIT

KIND is add (AMOUNT seconds of business time), between, add_days (AMOUNT business days) or count_days.
DAYS are seven digits from Monday on, OPEN and CLOSE are hours of the day, HOLIDAYS is a file of dates.
QUESTIONS has one row of whole numbers per question: instants and spans in seconds, dates in days, since 1970.
ANSWERS gets the answers to the first so many of them, as many as LIMIT seconds allow. The number of answers
and the seconds of the work itself go to standard output; reading and writing files is not counted.
A line that begins with "cannot" says why there is no answer.
"""

import sys
import time

import numpy as np


class Questions:
    def __init__(self):
        (self.kind, self.zone, self.days, opening, closing, holidays, amount, questions, self.answers,
         limit) = sys.argv[1:]
        self.open, self.close, self.amount, self.limit = int(opening), int(closing), int(amount), float(limit)
        with open(holidays) as file:
            self.holidays = file.read().split()
        columns = 2 if self.kind in ("between", "count_days") else 1
        with open(questions) as file:
            self.columns = np.fromfile(file, dtype=np.int64, sep=" ").reshape(-1, columns).T

    def answer(self, work, *columns, rows):
        """Calls work with slices of so many rows of the columns until there are no more, or no more time.

        Who gets through is asked three times, and the median counts, as it does for ours."""
        times = []
        while not times or len(times) < 3 and at >= len(columns[0]):
            pieces, at, start = [], 0, time.perf_counter()
            while at < len(columns[0]) and (times or time.perf_counter() - start < self.limit):
                pieces.append(work(*(column[at:at + rows] for column in columns)))
                at += rows
            times.append(time.perf_counter() - start)
        answers = np.concatenate([np.asarray(piece, dtype=np.int64) for piece in pieces])
        with open(self.answers, "w") as file:
            file.writelines("%d\n" % answer for answer in answers.tolist())
        print(len(answers), sorted(times)[len(times) // 2])


def cannot(why):
    sys.exit(print("cannot: " + why))
