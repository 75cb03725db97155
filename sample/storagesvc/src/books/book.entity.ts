import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('books')
export class Book {
  @PrimaryColumn('integer')
  id!: number;

  @Column('text')
  title!: string;

  @Column('text')
  author!: string;

  @Column('text')
  desc!: string;
}
