-- Interval reads are taken over from this day on. They are most of what a run writes.
insert into bua.parameter (name, value, description) values
    ('profile_days', 541, 'Interval reads of this many days up to TO are used: five read spans and the days unread since');
alter table bua.run add column reads_start date;
update bua.run set reads_start = profile_start;
alter table bua.run alter column reads_start set not null;
comment on column bua.run.profile_start is 'gas volumes and temperatures are used from here: a year before the period';
