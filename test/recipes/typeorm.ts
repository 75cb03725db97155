import { Injectable, Module } from '@nestjs/common';
import { InjectRepository, TypeOrmModule, getRepositoryToken } from '@nestjs/typeorm';
import { ResilienceModule, protectProvider } from 'nest-resilience';
import { Column, Entity, PrimaryGeneratedColumn, type Repository } from 'typeorm';

@Entity()
export class Book {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column('text', { unique: true })
  title!: string;
}

@Injectable()
export class Books {
  constructor(@InjectRepository(Book) readonly repository: Repository<Book>) {}

  async all(): Promise<Book[]> {
    return this.repository.find();
  }

  async add(title: string): Promise<void> {
    await this.repository.insert({ title });
  }
}

const reading = { retry: { maxRetries: 2 }, circuitBreaker: { name: 'books-database' } };

@Module({
  imports: [
    TypeOrmModule.forFeature([Book]),
    ResilienceModule.forFeature([
      protectProvider<Repository<Book>>(getRepositoryToken(Book), {
        name: 'books',
        methods: { find: reading, findOneBy: reading },
        '*': { circuitBreaker: { name: 'books-database' } },
      }),
    ]),
  ],
  providers: [Books],
  exports: [Books],
})
export class BooksModule {}
