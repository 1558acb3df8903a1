-- Which table each site's interval reads were taken from, and when: control.json says what the run's input was.
alter table bua.utility_profile_log
    add column interval_table text, add column read_from timestamptz, add column read_to timestamptz;
