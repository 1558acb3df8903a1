-- When a batch of work items was last sent, and how often: the clock sends one again whose worker was lost.
alter table bua.fan_out_batch add column sent_at timestamptz, add column sends integer not null default 0;
