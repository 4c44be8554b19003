/*
 * ical_zone.c
 *		Time zones by the names that calendars use.
 *
 * A name in a text is looked for among the server's zones: as it is, without
 * the prefix that a program put before it, as its VTIMEZONE tells by
 * X-LIC-LOCATION, or as a name of Windows.  The rules in a VTIMEZONE are not
 * read: all of business time goes by the server's zone data.
 */
#include "icalendar.h"

#include "miscadmin.h"
#include "pgtime.h"

#include "zone.h"

/* What programs put before a name; a word more may follow it. */
static const char *const prefixes[] = {
	"/freeassociation.sourceforge.net/", "/mozilla.org/", "/citadel.org/",
	"/softwarestudio.org/", "/kde.org/", "/ximian.com/"
};

/*
 * Windows' names: the zones of CLDR's windowsZones.xml for the territory 001.
 * Where the database has renamed a zone, its older name, which all versions
 * know.
 */
static const struct
{
	const char *name;
	const char *zone;
}			windows_names[] = {
	{"AUS Central Standard Time", "Australia/Darwin"},
	{"AUS Eastern Standard Time", "Australia/Sydney"},
	{"Afghanistan Standard Time", "Asia/Kabul"},
	{"Alaskan Standard Time", "America/Anchorage"},
	{"Aleutian Standard Time", "America/Adak"},
	{"Altai Standard Time", "Asia/Barnaul"},
	{"Arab Standard Time", "Asia/Riyadh"},
	{"Arabian Standard Time", "Asia/Dubai"},
	{"Arabic Standard Time", "Asia/Baghdad"},
	{"Argentina Standard Time", "America/Argentina/Buenos_Aires"},
	{"Astrakhan Standard Time", "Europe/Astrakhan"},
	{"Atlantic Standard Time", "America/Halifax"},
	{"Aus Central W. Standard Time", "Australia/Eucla"},
	{"Azerbaijan Standard Time", "Asia/Baku"},
	{"Azores Standard Time", "Atlantic/Azores"},
	{"Bahia Standard Time", "America/Bahia"},
	{"Bangladesh Standard Time", "Asia/Dhaka"},
	{"Belarus Standard Time", "Europe/Minsk"},
	{"Bougainville Standard Time", "Pacific/Bougainville"},
	{"Canada Central Standard Time", "America/Regina"},
	{"Cape Verde Standard Time", "Atlantic/Cape_Verde"},
	{"Caucasus Standard Time", "Asia/Yerevan"},
	{"Cen. Australia Standard Time", "Australia/Adelaide"},
	{"Central America Standard Time", "America/Guatemala"},
	{"Central Asia Standard Time", "Asia/Bishkek"},
	{"Central Brazilian Standard Time", "America/Cuiaba"},
	{"Central Europe Standard Time", "Europe/Budapest"},
	{"Central European Standard Time", "Europe/Warsaw"},
	{"Central Pacific Standard Time", "Pacific/Guadalcanal"},
	{"Central Standard Time", "America/Chicago"},
	{"Central Standard Time (Mexico)", "America/Mexico_City"},
	{"Chatham Islands Standard Time", "Pacific/Chatham"},
	{"China Standard Time", "Asia/Shanghai"},
	{"Cuba Standard Time", "America/Havana"},
	{"Dateline Standard Time", "Etc/GMT+12"},
	{"E. Africa Standard Time", "Africa/Nairobi"},
	{"E. Australia Standard Time", "Australia/Brisbane"},
	{"E. Europe Standard Time", "Europe/Chisinau"},
	{"E. South America Standard Time", "America/Sao_Paulo"},
	{"Easter Island Standard Time", "Pacific/Easter"},
	{"Eastern Standard Time", "America/New_York"},
	{"Eastern Standard Time (Mexico)", "America/Cancun"},
	{"Egypt Standard Time", "Africa/Cairo"},
	{"Ekaterinburg Standard Time", "Asia/Yekaterinburg"},
	{"FLE Standard Time", "Europe/Kiev"},
	{"Fiji Standard Time", "Pacific/Fiji"},
	{"GMT Standard Time", "Europe/London"},
	{"GTB Standard Time", "Europe/Bucharest"},
	{"Georgian Standard Time", "Asia/Tbilisi"},
	{"Greenland Standard Time", "America/Godthab"},
	{"Greenwich Standard Time", "Atlantic/Reykjavik"},
	{"Haiti Standard Time", "America/Port-au-Prince"},
	{"Hawaiian Standard Time", "Pacific/Honolulu"},
	{"India Standard Time", "Asia/Calcutta"},
	{"Iran Standard Time", "Asia/Tehran"},
	{"Israel Standard Time", "Asia/Jerusalem"},
	{"Jordan Standard Time", "Asia/Amman"},
	{"Kaliningrad Standard Time", "Europe/Kaliningrad"},
	{"Korea Standard Time", "Asia/Seoul"},
	{"Libya Standard Time", "Africa/Tripoli"},
	{"Line Islands Standard Time", "Pacific/Kiritimati"},
	{"Lord Howe Standard Time", "Australia/Lord_Howe"},
	{"Magadan Standard Time", "Asia/Magadan"},
	{"Magallanes Standard Time", "America/Punta_Arenas"},
	{"Marquesas Standard Time", "Pacific/Marquesas"},
	{"Mauritius Standard Time", "Indian/Mauritius"},
	{"Middle East Standard Time", "Asia/Beirut"},
	{"Montevideo Standard Time", "America/Montevideo"},
	{"Morocco Standard Time", "Africa/Casablanca"},
	{"Mountain Standard Time", "America/Denver"},
	{"Mountain Standard Time (Mexico)", "America/Mazatlan"},
	{"Myanmar Standard Time", "Asia/Rangoon"},
	{"N. Central Asia Standard Time", "Asia/Novosibirsk"},
	{"Namibia Standard Time", "Africa/Windhoek"},
	{"Nepal Standard Time", "Asia/Katmandu"},
	{"New Zealand Standard Time", "Pacific/Auckland"},
	{"Newfoundland Standard Time", "America/St_Johns"},
	{"Norfolk Standard Time", "Pacific/Norfolk"},
	{"North Asia East Standard Time", "Asia/Irkutsk"},
	{"North Asia Standard Time", "Asia/Krasnoyarsk"},
	{"North Korea Standard Time", "Asia/Pyongyang"},
	{"Omsk Standard Time", "Asia/Omsk"},
	{"Pacific SA Standard Time", "America/Santiago"},
	{"Pacific Standard Time", "America/Los_Angeles"},
	{"Pacific Standard Time (Mexico)", "America/Tijuana"},
	{"Pakistan Standard Time", "Asia/Karachi"},
	{"Paraguay Standard Time", "America/Asuncion"},
	{"Qyzylorda Standard Time", "Asia/Qyzylorda"},
	{"Romance Standard Time", "Europe/Paris"},
	{"Russia Time Zone 10", "Asia/Srednekolymsk"},
	{"Russia Time Zone 11", "Asia/Kamchatka"},
	{"Russia Time Zone 3", "Europe/Samara"},
	{"Russian Standard Time", "Europe/Moscow"},
	{"SA Eastern Standard Time", "America/Cayenne"},
	{"SA Pacific Standard Time", "America/Bogota"},
	{"SA Western Standard Time", "America/La_Paz"},
	{"SE Asia Standard Time", "Asia/Bangkok"},
	{"Saint Pierre Standard Time", "America/Miquelon"},
	{"Sakhalin Standard Time", "Asia/Sakhalin"},
	{"Samoa Standard Time", "Pacific/Apia"},
	{"Sao Tome Standard Time", "Africa/Sao_Tome"},
	{"Saratov Standard Time", "Europe/Saratov"},
	{"Singapore Standard Time", "Asia/Singapore"},
	{"South Africa Standard Time", "Africa/Johannesburg"},
	{"South Sudan Standard Time", "Africa/Juba"},
	{"Sri Lanka Standard Time", "Asia/Colombo"},
	{"Sudan Standard Time", "Africa/Khartoum"},
	{"Syria Standard Time", "Asia/Damascus"},
	{"Taipei Standard Time", "Asia/Taipei"},
	{"Tasmania Standard Time", "Australia/Hobart"},
	{"Tocantins Standard Time", "America/Araguaina"},
	{"Tokyo Standard Time", "Asia/Tokyo"},
	{"Tomsk Standard Time", "Asia/Tomsk"},
	{"Tonga Standard Time", "Pacific/Tongatapu"},
	{"Transbaikal Standard Time", "Asia/Chita"},
	{"Turkey Standard Time", "Europe/Istanbul"},
	{"Turks And Caicos Standard Time", "America/Grand_Turk"},
	{"US Eastern Standard Time", "America/Indianapolis"},
	{"US Mountain Standard Time", "America/Phoenix"},
	{"UTC", "UTC"},
	{"UTC+12", "Etc/GMT-12"},
	{"UTC+13", "Etc/GMT-13"},
	{"UTC-02", "Etc/GMT+2"},
	{"UTC-08", "Etc/GMT+8"},
	{"UTC-09", "Etc/GMT+9"},
	{"UTC-11", "Etc/GMT+11"},
	{"Ulaanbaatar Standard Time", "Asia/Ulaanbaatar"},
	{"Venezuela Standard Time", "America/Caracas"},
	{"Vladivostok Standard Time", "Asia/Vladivostok"},
	{"Volgograd Standard Time", "Europe/Volgograd"},
	{"W. Australia Standard Time", "Australia/Perth"},
	{"W. Central Africa Standard Time", "Africa/Lagos"},
	{"W. Europe Standard Time", "Europe/Berlin"},
	{"W. Mongolia Standard Time", "Asia/Hovd"},
	{"West Asia Standard Time", "Asia/Tashkent"},
	{"West Bank Standard Time", "Asia/Hebron"},
	{"West Pacific Standard Time", "Pacific/Port_Moresby"},
	{"Yakutsk Standard Time", "Asia/Yakutsk"},
	{"Yukon Standard Time", "America/Whitehorse"},
};

/*
 * Can it be the name of a zone?  Not of a file elsewhere, and nothing from
 * which the server would make a zone of its own and keep it: these have
 * digits.
 */
static bool
is_plausible(const char *name)
{
	static const char *const with_digits[] = {
		"EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT", "GMT0", "GMT+0", "GMT-0", "Etc/GMT0"
	};
	bool		digits = false;
	size_t		length = strlen(name);

	if (length == 0 || length > TZ_STRLEN_MAX || name[0] == '/')
		return false;
	for (const char *p = name; *p != '\0'; p++)
	{
		bool		letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z');

		digits |= *p >= '0' && *p <= '9';
		if (!letter && strchr("0123456789_+-/", *p) == NULL)
			return false;
	}
	if (!digits)
		return true;
	if (pg_strncasecmp(name, "Etc/GMT", 7) == 0 && (name[7] == '+' || name[7] == '-') &&
		length <= 10 && strspn(name + 8, "0123456789") == length - 8)
		return true;
	for (size_t i = 0; i < lengthof(with_digits); i++)
	{
		if (pg_strcasecmp(name, with_digits[i]) == 0)
			return true;
	}
	return false;
}

static bool
find_plain(const char *name, ical_zone *zone)
{
	return is_plausible(name) && sla_zone_find(name, &zone->zone, &zone->canonical);
}

static bool
find_named(const char *name, ical_zone *zone)
{
	if (find_plain(name, zone))
		return true;
	for (size_t i = 0; i < lengthof(prefixes); i++)
	{
		const char *rest = name + strlen(prefixes[i]);

		if (pg_strncasecmp(name, prefixes[i], strlen(prefixes[i])) != 0)
			continue;
		if (find_plain(rest, zone))
			return true;
		rest = strchr(rest, '/');
		return rest != NULL && find_plain(rest + 1, zone);
	}
	for (size_t i = 0; i < lengthof(windows_names); i++)
	{
		if (pg_strcasecmp(name, windows_names[i].name) == 0)
			return find_plain(windows_names[i].zone, zone);
	}
	return false;
}

/*
 * The zone that a text names, on a line.  An error when there is none.
 */
const ical_zone *
ical_find_zone(ical_calendar *calendar, const char *name, int line)
{
	ical_zone  *zone;
	ListCell   *cell;
	bool		found;

	foreach(cell, calendar->zones)
	{
		zone = lfirst(cell);
		if (strcmp(zone->name, name) == 0)
			return zone;
	}

	zone = palloc0(sizeof(ical_zone));
	zone->name = pstrdup(name);
	found = find_named(name, zone);
	if (!found)
	{
		foreach(cell, calendar->timezones)
		{
			const ical_component *timezone = lfirst(cell);

			CHECK_FOR_INTERRUPTS();
			if (timezone->tzid == NULL || timezone->location == NULL ||
				strcmp(timezone->tzid, name) != 0)
				continue;
			found = find_named(timezone->location, zone);
			break;
		}
	}
	if (!found)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" on line %d of the iCalendar text not recognized",
						ical_shown(name, strlen(name)), line),
				 errdetail("A VTIMEZONE's own rules are not read."),
				 errhint(SLA_ZONE_HINT)));
	calendar->zones = lappend(calendar->zones, zone);
	return zone;
}

/* UTC, the same pointer always. */
const ical_zone *
ical_utc(void)
{
	static ical_zone utc;

	if (utc.name == NULL)
	{
		utc.zone = sla_zone_named("UTC", &utc.canonical);
		utc.name = "UTC";
	}
	return &utc;
}

ical_second
ical_to_utc(const sla_zone *zone, ical_second local)
{
	int64_t		until;

	return local - zone->offset_of(zone->data, local, &until);
}

ical_second
ical_to_local(const sla_zone *zone, ical_second utc)
{
	int64_t		until;

	return utc + zone->offset_at(zone->data, utc, &until);
}
