-- Australian jurisdictions. Market time is UTC+10 all year in the National Electricity Market, UTC+8 in Western
-- Australia; neither observes daylight saving. Clock time is the tz database's.
insert into core.jurisdiction (jurisdiction, time_zone, market_offset) values
    ('NSW', 'Australia/Sydney', '10:00'),
    ('ACT', 'Australia/Sydney', '10:00'),
    ('VIC', 'Australia/Melbourne', '10:00'),
    ('QLD', 'Australia/Brisbane', '10:00'),
    ('SA', 'Australia/Adelaide', '10:00'),
    ('TAS', 'Australia/Hobart', '10:00'),
    ('WA', 'Australia/Perth', '08:00');
