#!/usr/bin/perl
# Business::Hours: row by row, on the local time of the process. See questions.py for what is asked.

use strict;
use warnings;
use List::Util qw(min max);
use Time::HiRes qw(time);

my ($kind, $zone, $days, $open, $close, $holidays, $amount, $questions, $answers, $limit) = @ARGV;
$ENV{TZ} = $zone;
require Business::Hours;

if ($kind =~ /days$/) { print "cannot: has no business days\n"; exit }

my @digit = split //, $days;
my $calendar = Business::Hours->new;
open my $file, '<', $holidays or die "$holidays: $!";
$calendar->business_hours(
	(map { ($_ => { Name => "day $_", $digit[($_ + 6) % 7] ? (Start => "$open:00", End => "$close:00") : () }) } 0 .. 6),
	holidays => [map { chomp; $_ } <$file>]);

open $file, '<', $questions or die "$questions: $!";
my @question;
while (<$file>)
{
	push @question, [split];
	last if @question == 100_000;
}
my @answer;
my $start = time;
if ($kind eq 'between')
{
	# Once for all questions, which is several times faster than once for each.
	$calendar->for_timespan(Start => min(map { $_->[0] } @question), End => max(map { $_->[1] } @question));
}
for my $question (@question)
{
	last if time - $start > $limit;
	if ($kind eq 'add')
	{
		push @answer, $calendar->add_seconds($question->[0], $amount);
	}
	else
	{
		push @answer, $calendar->between(@$question);
	}
}
my $seconds = time - $start;
open $file, '>', $answers or die "$answers: $!";
print $file map { "$_\n" } @answer;
close $file or die "$answers: $!";
print scalar(@answer), " $seconds\n";
